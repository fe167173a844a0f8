// SPDX-License-Identifier: Apache-2.0
// How this process reaches its own HTTP server.
// Thread: none (pure).
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

namespace canary::watchdog {

struct OwnAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr const* get() const { return reinterpret_cast<sockaddr const*>(&storage); }
};

// Of "127.0.0.1:9732" or "[::1]:9732" as the server says where it listens; every address of a
// family (0.0.0.0, [::]) is reached at that family's loopback. Nothing for other texts.
std::optional<OwnAddress> own_address(std::string const& listening);

// Of an AF_UNIX socket's path. Nothing for one that is too long, or empty.
std::optional<OwnAddress> private_address(std::string const& path);

}  // namespace canary::watchdog

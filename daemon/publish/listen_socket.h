// SPDX-License-Identifier: Apache-2.0
// A listening socket: TCP for one address of the configuration, one that systemd listens on for us,
// AF_UNIX for this machine.
// Thread: any; start-up only (names are resolved by the system, which may block).
#pragma once

#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::daemon {

struct ListenSocket {
  int fd = -1;          // non-blocking, closed on exec; the receiver closes it
  std::string address;  // "127.0.0.1:9732" or "[::1]:9732", with the port in use
};

// "host:port", "[v6]:port", or ":port" for every address of the machine ("[::]:port" too, both
// IPv6 and IPv4). Port 0 picks a free one. The error names the address and the cause.
Result<ListenSocket, std::string> listen_on(std::string_view address);

// A socket that listens already, of a socket unit: TCP or AF_UNIX, of streams.
Result<ListenSocket, std::string> take_over(int fd);

// An AF_UNIX socket at `path`, for this user alone (0600). One that nobody listens on any more is
// replaced; one that is in use is an error.
Result<ListenSocket, std::string> listen_privately(std::string const& path);

}  // namespace canary::daemon

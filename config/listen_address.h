// SPDX-License-Identifier: Apache-2.0
// Where the diagnostics server listens: "127.0.0.1:9732", "[::]:9732" or ":9732" (every address).
// Thread: none (pure).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::config {

struct ListenAddress {
  std::string host;        // an IPv4 or IPv6 address without brackets; "::" for ":port"
  bool ipv6 = false;       // `host` is an IPv6 address
  std::uint16_t port = 0;  // 0: any free port
  friend bool operator==(ListenAddress const&, ListenAddress const&) = default;
};

// Host names are refused: looking one up could hang at start, and mean something else tomorrow.
Result<ListenAddress, std::string> parse_listen_address(std::string_view text);

}  // namespace canary::config

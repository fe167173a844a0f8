// SPDX-License-Identifier: Apache-2.0
// Parsing of listen addresses.
// Thread: none (pure).
#include "config/listen_address.h"

#include <arpa/inet.h>

#include <charconv>

namespace canary::config {

Result<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  auto const expected =
      "expected an address and port such as 127.0.0.1:9732, [::1]:9732 or :9732, got \"" +
      std::string(text) + '"';
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos) return expected;
  auto host = text.substr(0, colon);
  auto const port = text.substr(colon + 1);
  ListenAddress result;
  auto const [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) return expected;
  if (host.empty()) {
    result.host = "::";
    result.ipv6 = true;
    return result;
  }
  result.ipv6 = host.starts_with('[') && host.ends_with(']');
  if (result.ipv6) host = host.substr(1, host.size() - 2);
  result.host = host;
  in6_addr buffer{};
  if (::inet_pton(result.ipv6 ? AF_INET6 : AF_INET, result.host.c_str(), &buffer) != 1) {
    return expected;
  }
  return result;
}

}  // namespace canary::config

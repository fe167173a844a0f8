// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/server_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>

namespace canary::watchdog {

std::optional<OwnAddress> own_address(std::string const& listening) {
  auto const colon = listening.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::uint16_t port = 0;
  char const* const end = listening.data() + listening.size();
  auto const parsed = std::from_chars(listening.data() + colon + 1, end, port);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  std::string host = listening.substr(0, colon);
  OwnAddress result;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    auto& address = reinterpret_cast<sockaddr_in6&>(result.storage);
    if (::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr) != 1) return std::nullopt;
    if (IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr)) address.sin6_addr = in6addr_loopback;
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    result.size = sizeof address;
    return result;
  }
  auto& address = reinterpret_cast<sockaddr_in&>(result.storage);
  if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return std::nullopt;
  if (address.sin_addr.s_addr == INADDR_ANY) address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  result.size = sizeof address;
  return result;
}

std::optional<OwnAddress> private_address(std::string const& path) {
  OwnAddress result;
  auto& address = reinterpret_cast<sockaddr_un&>(result.storage);
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, path.size());
  result.size = sizeof address;
  return result;
}

}  // namespace canary::watchdog

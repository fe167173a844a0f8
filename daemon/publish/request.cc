// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/request.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

namespace canary::daemon {
namespace {

// Parameters or headers, by name.
std::function<std::optional<std::string>(char const*)> values_of(MHD_Connection* connection,
                                                                 MHD_ValueKind kind) {
  return [connection, kind](char const* name) -> std::optional<std::string> {
    char const* const value = ::MHD_lookup_connection_value(connection, kind, name);
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

bool has_body(HttpRequest const& request) {
  auto const length = request.header("Content-Length").value_or("");
  return request.header("Transfer-Encoding") || (!length.empty() && length != "0");
}

sockaddr const* client_of(MHD_Connection* connection) {
  auto const* const info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info == nullptr ? nullptr : info->client_addr;
}

bool is_loopback(sockaddr const& client) {
  constexpr std::uint32_t kNet = 0x7f000000, kMask = 0xff000000;  // 127.0.0.0/8
  if (client.sa_family == AF_INET) {
    auto const& four = reinterpret_cast<sockaddr_in const&>(client);
    return (ntohl(four.sin_addr.s_addr) & kMask) == kNet;
  }
  if (client.sa_family != AF_INET6) return false;
  auto const& six = reinterpret_cast<sockaddr_in6 const&>(client).sin6_addr;
  if (IN6_IS_ADDR_LOOPBACK(&six)) return true;
  return IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127;
}

}  // namespace

HttpRequest request_of(MHD_Connection* connection, char const* method, char const* path,
                       bool is_private) {
  HttpRequest request{.method = method,
                      .path = path,
                      .parameter = values_of(connection, MHD_GET_ARGUMENT_KIND),
                      .header = values_of(connection, MHD_HEADER_KIND)};
  request.has_body = has_body(request);
  request.is_private = is_private;
  auto const* const client = client_of(connection);
  request.from_loopback = client != nullptr && is_loopback(*client);
  return request;
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Parses, binds and listens.
#include "daemon/publish/listen_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>

#include "runtime/limits.h"

namespace canary::daemon {
namespace {

struct HostAndPort {
  std::string host;  // empty: every address
  std::string port;
};

std::optional<HostAndPort> split(std::string_view address) {
  auto const colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  std::string_view const port = address.substr(colon + 1);
  if (host.starts_with('[') != host.ends_with(']')) return std::nullopt;
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // "::1:80": an IPv6 address needs its brackets
  }
  std::uint16_t number = 0;
  auto const [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc{} || end != port.data() + port.size()) return std::nullopt;
  return HostAndPort{std::string{host}, std::string{port}};
}

std::string bound_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const any = reinterpret_cast<sockaddr*>(&storage);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getsockname(fd, any, &size) != 0 ||
      ::getnameinfo(any, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  bool const v6 = storage.ss_family == AF_INET6;
  return (v6 ? "[" : "") + std::string{host.data()} + (v6 ? "]:" : ":") + port.data();
}

// The descriptor, or -1 with errno.
int bind_and_listen(addrinfo const& where, bool every_address) {
  int const fd = ::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  int const on = 1;
  int const v6_only = every_address ? 0 : 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (where.ai_family == AF_INET6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  }
  if (::bind(fd, where.ai_addr, where.ai_addrlen) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    int const error = errno;
    ::close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

}  // namespace

Result<ListenSocket, std::string> listen_on(std::string_view address) {
  std::string const failure = "cannot listen on " + std::string{address} + ": ";
  auto const parts = split(address);
  if (!parts) return failure + "expected host:port, [IPv6]:port or :port";
  bool const every_address = parts->host.empty() || parts->host == "::";

  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  char const* const host = parts->host.empty() ? "::" : parts->host.c_str();
  if (int const error = ::getaddrinfo(host, parts->port.c_str(), &hints, &found); error != 0) {
    return failure + ::gai_strerror(error);
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const owner{found, &::freeaddrinfo};
  int fd = bind_and_listen(*found, every_address);
  if (fd < 0 && parts->host.empty() && errno == EAFNOSUPPORT) {
    // A machine without IPv6.
    return listen_on("0.0.0.0:" + parts->port);
  }
  if (fd < 0) return failure + runtime::explain(errno);
  return ListenSocket{fd, bound_address(fd)};
}

Result<ListenSocket, std::string> take_over(int fd) {
  std::string const failure = "cannot serve on descriptor " + std::to_string(fd) + ": ";
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
    return failure + runtime::explain(errno);
  }
  if (type != SOCK_STREAM) return failure + "it is no socket of streams";
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  sockaddr_un path{};
  size = sizeof path;
  auto* const any = reinterpret_cast<sockaddr*>(&path);
  if (::getsockname(fd, any, &size) == 0 && path.sun_family == AF_UNIX) {
    std::string_view const name{path.sun_path, size - offsetof(sockaddr_un, sun_path)};
    return ListenSocket{fd, std::string{name.substr(0, name.find('\0'))}};
  }
  return ListenSocket{fd, bound_address(fd)};
}

Result<ListenSocket, std::string> listen_privately(std::string const& path) {
  std::string const failure = "cannot listen on " + path + ": ";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return failure + "the path is too long";
  path.copy(address.sun_path, path.size());
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failure + runtime::explain(errno);
  // Whoever was here before and is gone left the file; whoever is alive answers.
  if (::connect(fd, any, sizeof address) == 0) {
    ::close(fd);
    return failure + "another canaryd listens there";
  }
  ::unlink(path.c_str());
  int const listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  ::close(fd);
  if (listener < 0 || ::bind(listener, any, sizeof address) != 0 ||
      ::chmod(path.c_str(), 0600) != 0 || ::listen(listener, SOMAXCONN) != 0) {
    int const error = errno;
    if (listener >= 0) ::close(listener);
    return failure + runtime::explain(error);
  }
  return ListenSocket{listener, path};
}

}  // namespace canary::daemon

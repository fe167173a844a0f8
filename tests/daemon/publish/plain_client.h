// SPDX-License-Identifier: Apache-2.0
// A plain HTTP/1.1 client over one socket, which tests may leave half way.
// Thread: any (blocks).
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace canary::tests {

struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// A plain HTTP/1.1 client on one connection; reads give up after 30 s, which fails the test.
class Client {
 public:
  // "127.0.0.1:9732", "[::1]:9732", or the path of an AF_UNIX socket.
  explicit Client(std::string const& address) {
    if (address.starts_with('/')) {
      sockaddr_un to{};
      to.sun_family = AF_UNIX;
      address.copy(to.sun_path, sizeof to.sun_path - 1);
      open(AF_UNIX, reinterpret_cast<sockaddr const*>(&to), sizeof to);
      return;
    }
    auto const colon = address.rfind(':');
    auto const port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    if (address.starts_with('[')) {
      sockaddr_in6 to{};
      to.sin6_family = AF_INET6;
      to.sin6_port = port;
      ::inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &to.sin6_addr);
      open(AF_INET6, reinterpret_cast<sockaddr const*>(&to), sizeof to);
    } else {
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = port;
      ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
      open(AF_INET, reinterpret_cast<sockaddr const*>(&to), sizeof to);
    }
  }
  ~Client() { ::close(fd_); }
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  bool connected() const { return connected_; }
  void send(std::string_view bytes) {
    ASSERT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // For one that the server may have cut already.
  void try_send(std::string_view bytes) {
    [[maybe_unused]] auto const ignored = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Anything to read, or the end?
  bool has_more_within(std::chrono::milliseconds patience) const {
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&readable, 1, static_cast<int>(patience.count())) == 1;
  }
  void close_own_end() { ::shutdown(fd_, SHUT_WR); }
  Reply request(std::string const& method, std::string const& path, std::string const& more = {}) {
    send(method + " " + path + " HTTP/1.1\r\nHost: canary\r\n" + more + "\r\n");
    return read_reply(method == "HEAD");
  }
  Reply read_head() {
    Reply reply;
    auto end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return reply;
    }
    parse_head(reply, buffer_.substr(0, end + 2));
    buffer_.erase(0, end + 4);
    return reply;
  }
  Reply read_reply(bool head_only) {
    Reply reply = read_head();
    auto const size = head_only ? 0 : std::stoul("0" + reply.headers["content-length"]);
    while (buffer_.size() < size) {
      if (!read_more()) break;
    }
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return reply;
  }
  // True once the server has closed the connection; false when it sends something or stays silent.
  bool closed_by_server() {
    char byte = 0;
    auto const size = ::recv(fd_, &byte, 1, 0);
    return buffer_.empty() && (size == 0 || (size < 0 && errno == ECONNRESET));
  }

 private:
  void open(int family, sockaddr const* to, socklen_t size) {
    fd_ = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval const limit{.tv_sec = 30, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    connected_ = ::connect(fd_, to, size) == 0;
  }
  bool read_more() {
    char bytes[4096];
    auto const size = ::recv(fd_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }
  static void parse_head(Reply& reply, std::string const& head) {
    reply.status = std::stoi(head.substr(head.find(' ') + 1));
    std::size_t at = head.find("\r\n") + 2;
    while (at < head.size()) {
      auto const end = head.find("\r\n", at);
      auto const colon = head.find(": ", at);
      if (colon >= end) break;
      std::string name = head.substr(at, colon - at);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      reply.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
  }

  int fd_ = -1;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace canary::tests

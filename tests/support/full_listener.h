// SPDX-License-Identifier: Apache-2.0
// A port on loopback whose queue of connections is full: connecting to it hangs.
// Thread: any.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace canary::support {

class FullListener {
 public:
  FullListener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const general = reinterpret_cast<sockaddr*>(&address);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(listener_, general, size);
    ::listen(listener_, 0);
    ::getsockname(listener_, general, &size);
    port_ = ntohs(address.sin_port);
    for (int& fd : fillers_) {
      fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      ::connect(fd, general, size);
    }
  }
  ~FullListener() {
    for (int const fd : fillers_) ::close(fd);
    ::close(listener_);
  }
  FullListener(FullListener const&) = delete;
  FullListener& operator=(FullListener const&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int listener_ = -1;
  int fillers_[3] = {-1, -1, -1};
  std::uint16_t port_ = 0;
};

}  // namespace canary::support

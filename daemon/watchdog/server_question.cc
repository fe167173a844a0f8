// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/server_question.h"

#include <errno.h>
#include <unistd.h>

#include <string_view>

namespace canary::watchdog {
namespace {

// The path costs the server next to nothing; any status is an answer.
constexpr std::string_view kQuestion =
    "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nUser-Agent: canaryd-watchdog\r\n"
    "Connection: close\r\n\r\n";
static_assert(kQuestion.find(kWatchdogAgent) != std::string_view::npos);
constexpr std::string_view kAnswer = "HTTP/1.";
constexpr std::int64_t kTryAgain = 500'000'000;

}  // namespace

void ServerQuestion::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  stage_ = Stage::idle;
}

void ServerQuestion::forget() {
  close();
  asked_ns_ = 0;
}

void ServerQuestion::connect_again(std::int64_t now_ns) {
  close();
  tried_ns_ = now_ns;
  ServerAddress const& where = addresses_.each.data()[asked_];
  socket_ = ::socket(where.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) {
    // No descriptor is left: that says nothing about the server.
    asked_ns_ = 0;
    return;
  }
  int const result =
      ::connect(socket_, reinterpret_cast<sockaddr const*>(&where.address), where.size);
  if (result == 0 || errno == EINPROGRESS) {
    stage_ = Stage::connecting;
  } else {
    close();  // EAGAIN: its backlog is full; ECONNREFUSED: it does not listen
  }
}

bool ServerQuestion::go_on() {
  if (stage_ == Stage::connecting) {
    auto const sent =
        ::send(socket_, kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent == static_cast<ssize_t>(kQuestion.size())) {
      stage_ = Stage::reading;
    } else if (sent >= 0 || (errno != EAGAIN && errno != ENOTCONN)) {
      close();
    }
    return false;
  }
  if (stage_ != Stage::reading) return false;
  char bytes[64];
  auto const got = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return false;
  bool const answered = got >= static_cast<ssize_t>(kAnswer.size()) &&
                        std::string_view{bytes, kAnswer.size()} == kAnswer;
  close();
  return answered;
}

ServerQuestion::Step ServerQuestion::step(std::int64_t now_ns, std::int64_t want_ns) {
  if (addresses_.count == 0) return Step::nothing;
  if (asked_ns_ == 0) {
    if (now_ns - last_asked_ns_ < want_ns) return Step::nothing;
    asked_ns_ = last_asked_ns_ = now_ns;
    asked_ = (asked_ + 1) % addresses_.count;
    connect_again(now_ns);
    if (asked_ns_ != 0) go_on();  // a local connection stands at once
    return Step::asked;
  }
  if (stage_ == Stage::idle) {
    if (now_ns - tried_ns_ >= kTryAgain) connect_again(now_ns);
    return Step::nothing;
  }
  if (!go_on()) return Step::nothing;
  answered_after_ns_ = now_ns - asked_ns_;
  asked_ns_ = 0;
  return Step::answered;
}

}  // namespace canary::watchdog

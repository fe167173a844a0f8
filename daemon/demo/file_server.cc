// SPDX-License-Identifier: Apache-2.0
// The poll loop of the demo's server, and what it does with each connection.
// Thread: one.
#include "daemon/demo/file_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

namespace canary::daemon {
namespace {

constexpr std::size_t kMaxHeadBytes = 16 * 1024;
constexpr std::size_t kMaxConnections = 256;
constexpr std::chrono::seconds kIdle{60};  // a connection without traffic ends after it

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

bool below(std::string_view path, std::string_view folder) {
  return !folder.empty() && path.starts_with('/') && path.substr(1).starts_with(folder) &&
         path.substr(1 + folder.size()).starts_with('/');
}

}  // namespace

FileServer::~FileServer() {
  for (Connection const& connection : connections_) ::close(connection.socket);
}

int FileServer::poll_timeout(Clock::time_point now) const {
  auto next = now + kIdle;
  for (Connection const& connection : connections_) {
    next = std::min(next, connection.paced() ? connection.due : connection.used + kIdle);
  }
  auto const wait = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
  return static_cast<int>(std::max<std::int64_t>(wait, 0));
}

bool FileServer::run() {
  std::vector<pollfd> polled;
  while (true) {
    polled.assign({{settings_.lifeline, POLLIN, 0},
                   {connections_.size() < kMaxConnections ? settings_.listener : -1, POLLIN, 0}});
    for (Connection const& connection : connections_) {
      // While an answer goes out, nothing more is read; a paced one waits for its time, and for
      // the client to hang up (POLLHUP and POLLERR are always reported).
      short events = POLLIN;
      if (connection.sending()) events = connection.paced() ? POLLRDHUP : POLLOUT;
      polled.push_back({connection.socket, events, 0});
    }
    if (::poll(polled.data(), polled.size(), poll_timeout(Clock::now())) < 0 && errno != EINTR) {
      return false;
    }
    auto const now = Clock::now();
    if (polled[0].revents != 0) {
      char ignored[64];
      ssize_t const got = ::read(settings_.lifeline, ignored, sizeof ignored);
      if (got == 0 || (got < 0 && !would_block())) return true;
    }
    std::size_t at = 2;
    for (Connection& connection : connections_) {
      short const happened = polled[at++].revents;
      if ((happened & (POLLERR | POLLHUP | POLLNVAL | POLLRDHUP)) != 0) connection.dead = true;
      serve(connection, (happened & POLLIN) != 0, now);
    }
    std::erase_if(connections_, [](Connection const& connection) {
      if (connection.dead) ::close(connection.socket);
      return connection.dead;
    });
    if (polled[1].revents != 0) accept_all(now);
  }
}

void FileServer::accept_all(Clock::time_point now) {
  while (connections_.size() < kMaxConnections) {
    int const socket =
        ::accept4(settings_.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;  // none is left, or this one hung up already
    int const on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection connection;
    connection.socket = socket;
    connection.used = now;
    connections_.push_back(std::move(connection));
  }
}

void FileServer::serve(Connection& connection, bool readable, Clock::time_point now) {
  if (connection.dead) return;
  if (readable && !connection.sending()) receive(connection, now);
  while (!connection.dead) {
    if (!connection.sending()) answer_next(connection, now);
    if (!connection.sending()) break;  // no whole request is there
    send(connection, now);
    if (connection.sending()) break;  // the socket is full, or the next byte is not due
    if (connection.close) connection.dead = true;
  }
  if (!connection.paced() && now - connection.used >= kIdle) connection.dead = true;
}

void FileServer::receive(Connection& connection, Clock::time_point now) {
  char piece[4096];
  ssize_t const got = ::recv(connection.socket, piece, sizeof piece, 0);
  if (got == 0 || (got < 0 && !would_block())) {
    connection.dead = true;
  } else if (got > 0) {
    connection.received.append(piece, static_cast<std::size_t>(got));
    connection.used = now;
  }
}

void FileServer::answer_next(Connection& connection, Clock::time_point now) {
  auto const end = connection.received.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (connection.received.size() > kMaxHeadBytes)
      queue(connection, error_answer(431), false, now);
    return;
  }
  auto const request = parse_request(std::string_view(connection.received).substr(0, end));
  connection.received.erase(0, end + 4);
  if (!request) return queue(connection, error_answer(400), false, now);
  DemoAnswer reply = answer(*request, settings_.root);
  bool const slowly = reply.status == 200 && below(request->path, settings_.trickling);
  queue(connection, std::move(reply), slowly, now);
}

void FileServer::queue(Connection& connection, DemoAnswer reply, bool slowly,
                       Clock::time_point now) {
  connection.out = std::move(reply.head);
  (slowly ? connection.slow : connection.out) += reply.body;
  connection.sent = 0;
  connection.due = now + settings_.pace;
  connection.close = reply.close;
}

void FileServer::send(Connection& connection, Clock::time_point now) {
  while (!connection.out.empty()) {
    ssize_t const sent = ::send(connection.socket, connection.out.data() + connection.sent,
                                connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0) {
      connection.dead = !would_block();
      return;
    }
    connection.used = now;
    connection.sent += static_cast<std::size_t>(sent);
    if (connection.sent < connection.out.size()) continue;
    connection.out.clear();
    connection.sent = 0;
  }
  if (connection.paced() && connection.due <= now) send_byte(connection, now);
}

void FileServer::send_byte(Connection& connection, Clock::time_point now) {
  connection.due = now + settings_.pace;
  ssize_t const sent =
      ::send(connection.socket, connection.slow.data() + connection.sent, 1, MSG_NOSIGNAL);
  if (sent < 0) {
    connection.dead = !would_block();
    return;
  }
  connection.used = now;
  if (++connection.sent < connection.slow.size()) return;
  connection.slow.clear();
  connection.sent = 0;
}

}  // namespace canary::daemon

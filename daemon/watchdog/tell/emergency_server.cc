// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/emergency_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/watchdog/tell/health.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNever = INT64_MAX;
constexpr int kAtOnce = 64;                            // connections taken in one round
constexpr std::int64_t kRest = 100'000'000;            // after accept4 failed
constexpr std::int64_t kWatchdogDead = 5'000'000'000;  // as for /-/healthy otherwise
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kMetrics = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kElsewhere =
    "canaryd's HTTP server does not answer. Until it does, /, /metrics, /-/healthy, /-/ready and\n"
    "/-/live are answered by its watchdog, and nothing else is. What hangs is in the dump that it\n"
    "has made: canaryd dump --last.\n";

}  // namespace

std::size_t EmergencyServer::listen_on(std::span<int const> sockets) {
  std::size_t const count = sockets.size() < kListeners ? sockets.size() : kListeners;
  for (std::size_t i = 0; i < count; ++i) listeners_.data()[i].socket = sockets.data()[i];
  listening_.store(count, std::memory_order_release);
  return count;
}

void EmergencyServer::run() {
  while (!end_.load(std::memory_order_acquire)) wait();
  for (Connection& each : connections_) close(each);
  for (int const spare : spares_) {
    if (spare >= 0) ::close(spare);
  }
  close_listeners();
  release_own_row(row_);
}

// It says so to the watchdog, also while there is nothing to do.
void EmergencyServer::come_round() {
  now_ns_ = runtime::now_ns();
  not_later_than(now_ns_ + kSecond);
  runtime::Tables* const tables = runtime::tables();
  if (tables == nullptr) return;
  if (row_ == nullptr || tables != row_in_) {
    row_in_ = tables;
    row_ = claim_own_row(*tables, runtime::ThreadRecord::emergency, "emergency", stack_);
  }
  if (row_ != nullptr) row_->beat_ns.store(now_ns_, std::memory_order_release);
}

bool EmergencyServer::serving() const {
  return board_.answering() && !withdraw_.load(std::memory_order_acquire);
}

void EmergencyServer::close_listeners() {
  std::size_t const count = listening_.exchange(0, std::memory_order_acq_rel);
  for (std::size_t i = 0; i < count; ++i) {
    if (listeners_.data()[i].socket >= 0) ::close(listeners_.data()[i].socket);
  }
}

// One round.
void EmergencyServer::wait() {
  if (withdraw_.load(std::memory_order_acquire)) close_listeners();
  Watched watched;
  watched.list.data()[watched.count++] = {.fd = wake_, .events = POLLIN, .revents = 0};
  next_ns_ = kNever;
  come_round();
  if (serving()) watch_listeners(watched);
  std::size_t const from = watched.count;
  for (Connection const& each : connections_) {
    if (each.socket < 0) continue;
    short const events = each.stage == Stage::writing ? POLLOUT : POLLIN;
    watched.list.data()[watched.count++] = {.fd = each.socket, .events = events, .revents = 0};
    not_later_than(each.since_ns + kWhole);
  }
  std::int64_t const left = next_ns_ > now_ns_ ? next_ns_ - now_ns_ : 0;
  timespec const limit{.tv_sec = left / kSecond, .tv_nsec = left % kSecond};
  auto* const list = watched.list.data();
  if (::ppoll(list, watched.count, &limit, nullptr) < 0) return;
  now_ns_ = runtime::now_ns();
  if (list[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] auto const ignored = ::read(wake_, &count, sizeof count);
  }
  std::size_t at = from;
  for (Connection& each : connections_) {
    if (each.socket < 0) continue;
    bool const ready = list[at++].revents != 0;
    if (now_ns_ - each.since_ns >= kWhole) {
      close(each);
    } else if (ready) {
      go_on(each);
    }
  }
  if (serving()) look_at_listeners(watched);
}

// A listener where somebody waits is not asked again until the server has had its chance.
void EmergencyServer::watch_listeners(Watched& watched) {
  std::size_t const count = listening_.load(std::memory_order_acquire);
  if (now_ns_ < rested_ns_) {
    not_later_than(rested_ns_);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    Listener const& listener = listeners_.data()[i];
    if (listener.socket < 0) continue;
    std::int64_t const alone = board_.guarded(i) ? kGuardedAlone : kLeftAlone;
    std::int64_t const due = listener.waiting_ns == 0 ? now_ns_ : listener.waiting_ns + alone;
    if (due > now_ns_) {
      not_later_than(due);
      continue;
    }
    if (listener.waiting_ns != 0) not_later_than(now_ns_);  // is anybody there still?
    watched.list.data()[watched.count++] = {.fd = listener.socket, .events = POLLIN, .revents = 0};
  }
}

void EmergencyServer::look_at_listeners(Watched const& watched) {
  std::size_t const count = listening_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i) {
    Listener& listener = listeners_.data()[i];
    for (std::size_t at = 1; at < watched.count; ++at) {
      pollfd const& seen = watched.list.data()[at];
      if (seen.fd != listener.socket) continue;
      if (seen.revents == 0) {
        listener.waiting_ns = 0;
      } else if (listener.waiting_ns == 0 && !board_.taken(i)) {
        listener.waiting_ns = now_ns_;
      } else if (board_.guarded(i)) {
        hang_up_on(listener);
      } else {
        accept_from(listener);
      }
    }
  }
}

// A process whose descriptors are all in use still answers two at a time.
int EmergencyServer::accept_one(int listener) {
  auto const accept = [listener] {
    return ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  };
  int socket = accept();
  for (int& spare : spares_) {
    if (socket >= 0 || errno != EMFILE) break;
    if (spare < 0) continue;
    ::close(spare);
    spare = -1;
    socket = accept();
  }
  return socket;
}

void EmergencyServer::keep_spares() {
  for (int& spare : spares_) {
    if (spare < 0) spare = ::fcntl(wake_, F_DUPFD_CLOEXEC, 0);
  }
}

// Of those who wait there, as many as there is room for. The rest is tried again after a moment.
void EmergencyServer::accept_from(Listener& listener) {
  for (int taken = 0; taken < kAtOnce; ++taken) {
    Connection* const place = free_place();
    if (place == nullptr) break;
    int const socket = accept_one(listener.socket);
    if (socket < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      listener.waiting_ns = 0;
      if (errno != EAGAIN && errno != EWOULDBLOCK) rested_ns_ = now_ns_ + kRest;
      if (errno == EMFILE) make_room();
      return;
    }
    place->socket = socket;
    place->stage = Stage::reading;
    place->since_ns = now_ns_;
    place->received = place->sent = place->size = 0;
    go_on(*place);
  }
  listener.waiting_ns = now_ns_;
}

void EmergencyServer::hang_up_on(Listener& listener) {
  for (int taken = 0; taken < kAtOnce; ++taken) {
    int const socket = accept_one(listener.socket);
    if (socket >= 0) {
      ::close(socket);
      keep_spares();
    } else if (errno != ECONNABORTED && errno != EINTR) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) rested_ns_ = now_ns_ + kRest;
      break;
    }
  }
  listener.waiting_ns = 0;
}

// One that is free, or that of the longest connected if it has had its time.
EmergencyServer::Connection* EmergencyServer::free_place() {
  for (Connection& each : connections_) {
    if (each.socket < 0) return &each;
  }
  return make_room();
}

// Closes the longest connected if it has had its time; else null.
EmergencyServer::Connection* EmergencyServer::make_room() {
  Connection* oldest = nullptr;
  for (Connection& each : connections_) {
    if (each.socket < 0) continue;
    if (oldest == nullptr || each.since_ns < oldest->since_ns) oldest = &each;
  }
  if (oldest == nullptr || now_ns_ - oldest->since_ns < kWithinReason) return nullptr;
  close(*oldest);
  return oldest;
}

void EmergencyServer::go_on(Connection& connection) {
  if (connection.stage == Stage::reading) receive(connection);
  if (connection.socket >= 0 && connection.stage == Stage::writing) send_on(connection);
  if (connection.socket >= 0 && connection.stage == Stage::draining) drain(connection);
}

void EmergencyServer::close(Connection& connection) {
  if (connection.socket < 0) return;
  ::close(connection.socket);
  connection.socket = -1;
  keep_spares();
}

void EmergencyServer::receive(Connection& connection) {
  char* const room = connection.request.data();
  std::size_t const left = connection.request.size() - connection.received;
  auto const got = ::recv(connection.socket, room + connection.received, left, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    close(connection);  // left half way
    return;
  }
  connection.received += static_cast<std::size_t>(got);
  EmergencyRequest const request = read_request({room, connection.received});
  connection.path = request.path;
  bool const full = connection.received == connection.request.size();
  if (!request.whole && !full) return;
  if (request.from_watchdog) {
    close(connection);  // it asks for the server, not for us
    return;
  }
  if (request.whole) {
    answer(connection, request);
  } else {
    fill(connection, request, EmergencyStatus::too_large, kText, "The request is too long.\n");
  }
  connection.stage = Stage::writing;
}

void EmergencyServer::answer(Connection& connection, EmergencyRequest const& request) {
  if (!request.known_method) {
    fill(connection, request, EmergencyStatus::bad_method, kText,
         "Only GET and HEAD are answered here.\n");
    return;
  }
  bool const sentence = request.path == EmergencyPath::other && !request.for_people;
  if (sentence || !board_.read(texts_)) {
    fill(connection, request, EmergencyStatus::unavailable, kText, kElsewhere);
    return;
  }
  if (request.path == EmergencyPath::other) {
    write_screen(screen_, texts_.reason_text(), texts_.not_live_text(), texts_.page_text());
    fill(connection, request, EmergencyStatus::unavailable, kHtml, screen_.view());
  } else if (request.path == EmergencyPath::metrics) {
    fill(connection, request, EmergencyStatus::ok, kMetrics, texts_.page_text());
  } else if (request.path == EmergencyPath::live) {
    answer_live(connection, request);
  } else {
    answer_health(connection, request);
  }
}

// As the judgement was when it was last written: a server that is only late restarts nobody. Unless
// nobody has judged for long.
void EmergencyServer::answer_live(Connection& connection, EmergencyRequest const& request) {
  ShortText<511> body;
  auto const nobody = why_nobody_judges(texts_.written_ns, now_ns_);
  auto const why = nobody.view().empty() ? texts_.not_live_text() : nobody.view();
  bool const live = why.empty();
  body.add(live ? std::string_view{"canaryd lives."} : why).add("\n");
  fill(connection, request, live ? EmergencyStatus::ok : EmergencyStatus::unavailable, kText,
       body.view());
}

// Never healthy: the server hangs, or nobody would ask here.
void EmergencyServer::answer_health(Connection& connection, EmergencyRequest const& request) {
  ShortText<511> body;
  if (std::int64_t const age = now_ns_ - texts_.written_ns; age > kWatchdogDead) {
    body.add("the watchdog has not ticked for ").number(static_cast<std::uint64_t>(age / kSecond));
    body.add(" s; its last word: ");
  }
  body.add(texts_.reason_text()).add("\n");
  fill(connection, request, EmergencyStatus::unavailable, kText, body.view());
}

void EmergencyServer::fill(Connection& connection, EmergencyRequest const& request,
                           EmergencyStatus status, std::string_view content_type,
                           std::string_view body) {
  auto const head = answer_head(status, content_type, body.size());
  char* const room = connection.answer.data();
  __builtin_memcpy(room, head.view().data(), head.view().size());
  connection.size = head.view().size();
  if (request.head_only) return;
  __builtin_memcpy(room + connection.size, body.data(), body.size());
  connection.size += body.size();
}

void EmergencyServer::send_on(Connection& connection) {
  while (connection.sent < connection.size) {
    auto const sent = ::send(connection.socket, connection.answer.data() + connection.sent,
                             connection.size - connection.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent <= 0) {
      close(connection);
      return;
    }
    connection.sent += static_cast<std::size_t>(sent);
  }
  count(connection);
  // Closing with bytes unread would make the kernel throw away what is still on its way.
  ::shutdown(connection.socket, SHUT_WR);
  connection.stage = Stage::draining;
}

// What has gone out whole: the log says that the page is served by these.
void EmergencyServer::count(Connection const& connection) {
  auto& answers = record_.emergency_answers.data()[static_cast<std::size_t>(connection.path)];
  answers.store(answers.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void EmergencyServer::drain(Connection& connection) {
  char bytes[4'096];
  for (int piece = 0; piece < 8; ++piece) {
    auto const got = ::recv(connection.socket, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      close(connection);
      return;
    }
  }
}

}  // namespace canary::watchdog

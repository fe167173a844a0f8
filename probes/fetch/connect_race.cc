// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/connect_race.h"

#include <fcntl.h>

#include <chrono>
#include <memory>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include "probes/fetch/fault.h"
#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/workers.h"

namespace canary::fetch {
namespace {

constexpr auto kStagger = std::chrono::milliseconds{250};

// Outlives the coroutine: handlers of closed sockets still come.
struct Race : std::enable_shared_from_this<Race> {
  explicit Race(runtime::Executor on) : executor(on), changed(on) {}

  void start(Tcp::endpoint const& endpoint) {
    auto const index = sockets.size();
    sockets.push_back(std::make_unique<Tcp::socket>(executor));
    auto& socket = *sockets.back();
    runtime::error_code error;
    socket.open(endpoint.protocol(), error);
    ++pending;
    if (error) return done(index, endpoint, error);
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, __func__));
    socket.async_connect(endpoint,
                         [self = shared_from_this(), index, endpoint](runtime::error_code error) {
                           if (!self->over) self->done(index, endpoint, error);
                         });
  }

  void done(std::size_t index, Tcp::endpoint const& endpoint, runtime::error_code error) {
    --pending;
    if (!error && !winner) {
      winner = index;
      peer = endpoint;
    } else if (error) {
      bool const own = !own_trouble(error.value()).empty();
      ++(own ? own_errors : foreign_errors);
      // Without descriptors or memory nothing could be tried; without a port or the firewall's
      // leave for one address, others may still have told something.
      if (own && !exhausted) own_error = error.value();
      exhausted = exhausted || is_exhaustion(error.value());
      problem += (problem.empty() ? "" : "; ") + to_text(endpoint) + ": " + error.message();
    }
    changed.notify();
  }

  void close_all() {
    over = true;
    for (auto const& socket : sockets) {
      runtime::error_code ignored;
      socket->close(ignored);
    }
  }

  runtime::Executor executor;
  runtime::Event changed;
  std::vector<std::unique_ptr<Tcp::socket>> sockets;
  std::size_t pending = 0;
  std::optional<std::size_t> winner;
  Tcp::endpoint peer;
  std::string problem;
  bool over = false, exhausted = false;
  std::size_t own_errors = 0, foreign_errors = 0;
  int own_error = 0;
};

class Running {
 public:
  explicit Running(std::shared_ptr<Race> race) : race_(std::move(race)) {}
  ~Running() { race_->close_all(); }
  Running(Running const&) = delete;
  Running& operator=(Running const&) = delete;
  Race* operator->() const { return race_.get(); }

 private:
  std::shared_ptr<Race> race_;
};

}  // namespace

std::vector<Tcp::endpoint> connect_order(std::vector<boost::asio::ip::address> const& addresses,
                                         std::uint16_t port) {
  std::vector<Tcp::endpoint> v6, v4, order;
  for (auto const& address : addresses) (address.is_v6() ? v6 : v4).emplace_back(address, port);
  for (std::size_t i = 0; i < std::max(v6.size(), v4.size()); ++i) {
    if (i < v6.size()) order.push_back(v6[i]);
    if (i < v4.size()) order.push_back(v4[i]);
  }
  return order;
}

runtime::Task<Connected> connect_race(std::vector<Tcp::endpoint> endpoints,
                                      runtime::Deadline deadline, runtime::Trace trace) {
  runtime::require_loop_thread();
  Running const race{std::make_shared<Race>(co_await boost::asio::this_coro::executor)};
  Connected result;
  std::size_t next = 0;
  auto next_start = runtime::Clock::now();
  while (!race->winner && (race->pending > 0 || next < endpoints.size())) {
    auto const now = runtime::Clock::now();
    if (deadline.passed(now)) {
      result.timed_out = true;
      break;
    }
    if (next < endpoints.size() && (race->pending == 0 || now >= next_start)) {
      race->start(endpoints[next++]);
      next_start = now + kStagger;
      continue;
    }
    auto const stagger = runtime::Deadline::at(next_start);
    auto const wake = next < endpoints.size() ? std::min(deadline, stagger) : deadline;
    bool const notified = co_await race->changed.wait_until(trace, "http.connect", wake);
    if (!notified) {
      auto const state = co_await boost::asio::this_coro::cancellation_state;
      if (state.cancelled() != boost::asio::cancellation_type::none) {
        runtime::throw_operation_aborted();
      }
    }
  }
  result.problem = race->problem;
  bool const ours = race->exhausted || (race->own_errors > 0 && race->foreign_errors == 0);
  if (ours) result.own_error = race->own_error;
  if (race->winner) {
    result.timed_out = false;
    result.peer = race->peer;
    result.socket.emplace(std::move(*race->sockets[*race->winner]));
    runtime::error_code ignored;
    result.socket->set_option(Tcp::no_delay{true}, ignored);
  }
  co_return result;
}

}  // namespace canary::fetch

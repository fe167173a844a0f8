// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/guard.h"

#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "runtime/contract.h"

namespace canary::fetch {

using runtime::Clock;

Due Due::of(runtime::Deadline total, Clock::duration span) {
  auto const phase = runtime::Deadline::after(span);
  return phase < total ? Due{phase.point(), Why::phase} : Due{total.point(), Why::total};
}

struct Guard::State : std::enable_shared_from_this<Guard::State> {
  State(runtime::Executor executor, std::function<void()> on_due)
      : timer(executor), close(std::move(on_due)) {}

  void set_timer() {
    set_for = due.at;
    if (due.at == Clock::time_point::max()) return;
    timer.expires_at(due.at);
    BOOST_ASIO_HANDLER_LOCATION((__FILE__, __LINE__, __func__));
    timer.async_wait([self = shared_from_this(), turn = ++turns](runtime::error_code error) {
      if (!error && turn == self->turns && self->close) self->on_timer();
    });
  }

  void on_timer() {
    if (Clock::now() < due.at) return set_timer();
    fired = true;
    std::exchange(close, nullptr)();
  }

  boost::asio::steady_timer timer;
  std::function<void()> close;
  Due due;
  Clock::time_point set_for = Clock::time_point::max();
  unsigned turns = 0;
  bool fired = false;
};

Guard::Guard(runtime::Executor executor, std::function<void()> close)
    : state_(std::make_shared<State>(std::move(executor), std::move(close))) {}

Guard::~Guard() {
  runtime::require_loop_thread();
  state_->close = nullptr;
  state_->timer.cancel();
}

void Guard::expect(Due due) {
  runtime::require_loop_thread();
  if (state_->fired) return;
  state_->due = due;
  if (due.at < state_->set_for) state_->set_timer();
}

bool Guard::fired() const { return state_->fired; }
Due::Why Guard::why() const { return state_->due.why; }

}  // namespace canary::fetch

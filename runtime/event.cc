// SPDX-License-Identifier: Apache-2.0
#include "runtime/event.h"

#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/contract.h"

namespace canary::runtime {

Event::Waiter::Waiter(Event& of, Deadline deadline)
    : event(&of), next(std::exchange(of.first_, this)), timer(of.executor_) {
  if (next != nullptr) next->previous = this;
  timer.expires_at(deadline.point());
}

void Event::Waiter::leave() {
  if (event == nullptr) return;
  (previous != nullptr ? previous->next : event->first_) = next;
  if (next != nullptr) next->previous = previous;
  event = nullptr;
}

Event::~Event() {
  while (first_ != nullptr) first_->leave();
}

Task<bool> Event::wait_until(Trace trace, StaticName name, Deadline deadline,
                             std::source_location where) {
  require_loop_thread();
  Waiter waiter{*this, deadline};
  co_await waiter.timer.async_wait(wait(trace, name, where));
  auto const state = co_await asio::this_coro::cancellation_state;
  co_return waiter.notified&& state.cancelled() == asio::cancellation_type::none;
}

void Event::notify() {
  require_loop_thread();
  while (first_ != nullptr) {
    Waiter& waiter = *first_;
    waiter.leave();
    waiter.notified = true;
    waiter.timer.cancel();
  }
}

Task<void> sleep_until(Trace trace, StaticName name, Deadline deadline,
                       std::source_location where) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  timer.expires_at(deadline.point());
  co_await timer.async_wait(wait(trace, name, where));
}

Task<void> Turn::pass(Trace trace, std::source_location where) {
  co_await sleep_until(trace, "turn", Deadline::after({}), where);
  since_ = Clock::now();
}

}  // namespace canary::runtime

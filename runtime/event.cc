// SPDX-License-Identifier: Apache-2.0
#include "runtime/event.h"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

namespace canary::runtime {

Task<bool> Event::wait_until(Trace trace, StaticName name, Deadline deadline,
                             std::source_location where) {
  timer_.expires_at(deadline.point());
  auto const [error] = co_await timer_.async_wait(wait(trace, name, where));
  if (error != asio::error::operation_aborted) co_return false;
  auto const state = co_await asio::this_coro::cancellation_state;
  co_return state.cancelled() == asio::cancellation_type::none;
}

Task<void> sleep_until(Trace trace, StaticName name, Deadline deadline,
                       std::source_location where) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  timer.expires_at(deadline.point());
  co_await timer.async_wait(wait(trace, name, where));
}

}  // namespace canary::runtime

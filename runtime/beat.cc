// SPDX-License-Identifier: Apache-2.0
#include "runtime/beat.h"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/event.h"
#include "runtime/leaf.h"
#include "runtime/trace.h"

namespace canary::runtime {

Task<void> beat(std::chrono::milliseconds interval) {
  RunTrace const run{"beat", Deadline::never()};
  auto const executor = co_await asio::this_coro::executor;
  while (true) {
    tables()->loop().beat_ns.store(now_ns(), std::memory_order_release);
    co_await sleep_until(run.trace(), "beat.timer", Deadline::after(interval));
    co_await asio::post(executor, wait(run.trace(), "beat.queue"));
  }
}

std::optional<std::chrono::nanoseconds> beat_age() {
  Tables* const all = tables();
  std::int64_t const last =
      all == nullptr ? 0 : all->loop().beat_ns.load(std::memory_order_acquire);
  if (last == 0) return std::nullopt;
  return std::chrono::nanoseconds{std::max<std::int64_t>(0, now_ns() - last)};
}

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/beat.h"

#include <algorithm>
#include <bit>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/held.h"
#include "runtime/leaf.h"
#include "runtime/trace.h"

namespace canary::runtime {
namespace {

// In the history; the stretch before the last sixty makes room.
void note(LoopRecord& loop, std::int64_t now, std::uint64_t late) {
  using std::memory_order_relaxed;
  std::int64_t const number = now / kLagSlotNs;
  LagSlot& slot = loop.lag_history[static_cast<std::size_t>(number) % kLagSlots];
  if (slot.number.load(memory_order_relaxed) != number) {
    slot.worst_ns.store(0, memory_order_relaxed);
    slot.beats.store(0, memory_order_relaxed);
    slot.number.store(number, std::memory_order_release);
  }
  if (late > slot.worst_ns.load(memory_order_relaxed)) {
    slot.worst_ns.store(late, memory_order_relaxed);
  }
  slot.beats.fetch_add(1, memory_order_relaxed);
}

void arrived(LoopRecord& loop, std::int64_t due) {
  std::int64_t const now = now_ns();
  auto const late = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now - due));
  std::size_t const bucket =
      std::min<std::size_t>(std::bit_width(late / 1'000'000), kLagBuckets - 1);
  loop.lag[bucket].fetch_add(1, std::memory_order_relaxed);
  loop.lag_sum_ns.fetch_add(late, std::memory_order_relaxed);
  note(loop, now, late);
  note_beat(due, now);
  loop.beats.fetch_add(1, std::memory_order_relaxed);
  loop.beat_ns.store(now, std::memory_order_release);
}

}  // namespace

Task<void> beat(std::chrono::milliseconds interval) {
  require_loop_thread();
  RunTrace const run{"beat", Deadline::never(), RunRecord::service};
  LoopRecord& loop = tables()->loop();
  auto const executor = co_await asio::this_coro::executor;
  std::int64_t due = now_ns();
  while (true) {
    arrived(loop, due);
    due = now_ns() + std::chrono::nanoseconds{interval}.count();
    loop.beat_due_ns.store(due, std::memory_order_relaxed);
    co_await sleep_until(run.trace(), "beat.timer", Deadline::after(interval));
    loop.beat_timer_ns.store(now_ns(), std::memory_order_relaxed);
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

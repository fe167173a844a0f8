// SPDX-License-Identifier: Apache-2.0
#include "runtime/beat.h"

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "runtime/event.h"
#include "runtime/held.h"
#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;

// Returns once `count` more beats came.
Task<void> let_beat(std::uint64_t count) {
  TaskGroup group{co_await asio::this_coro::executor};
  std::uint64_t const wanted = tables()->loop().beats.load() + count;
  group.start(beat(1ms));
  while (tables()->loop().beats.load() < wanted) {
    co_await sleep_until({}, "test.sleep", Deadline::after(1ms));
  }
  group.request_stop();
  co_await group.join({});
}

std::uint64_t beats_in_history() {
  std::uint64_t beats = 0;
  for (auto const& slot : tables()->loop().lag_history) beats += slot.beats.load();
  return beats;
}

// Beats, and holds the loop for `span` meanwhile; returns for how long it says that it was held.
Task<std::chrono::nanoseconds> held_for(std::chrono::nanoseconds span) {
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(beat(1ms));
  co_await sleep_until({}, "test.sleep", Deadline::after(20ms));
  auto const before = loop_held();
  auto const until = Clock::now() + span;
  while (Clock::now() < until) continue;
  auto const open = loop_held() - before;  // its beat has not come yet
  co_await sleep_until({}, "test.sleep", Deadline::after(20ms));
  EXPECT_GE(loop_held() - before, open) << "the beat came, and what was open is noted";
  group.request_stop();
  co_await group.join({});
  co_return open;
}

TEST(Held, IsTheTimeInWhichNoBeatCameBeItStillSo) {
  RunningLoop running;
  EXPECT_GE(running.block_on(held_for(kLeastAbsence + 50ms)), kLeastAbsence);
  EXPECT_EQ(running.block_on(held_for(50ms)), 0ns) << "hardly a moment";
}

TEST(Beat, IsNotedInTheHistoryOfLag) {
  RunningLoop running;
  std::uint64_t const before = beats_in_history();

  running.block_on(let_beat(20));

  EXPECT_GE(beats_in_history(), before + 20);
  EXPECT_TRUE(beat_age().has_value());
}

TEST(Beat, CountsEachBeatInOneBucketOfItsLag) {
  RunningLoop running;
  auto const& loop = tables()->loop();

  running.block_on(let_beat(20));

  std::uint64_t counted = 0;
  for (auto const& bucket : loop.lag) counted += bucket.load();
  EXPECT_EQ(counted, loop.beats.load());
}

}  // namespace
}  // namespace canary::runtime

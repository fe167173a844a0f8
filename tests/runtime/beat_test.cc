// SPDX-License-Identifier: Apache-2.0
#include "runtime/beat.h"

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "runtime/event.h"
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

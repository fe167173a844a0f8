// SPDX-License-Identifier: Apache-2.0
#include "runtime/task_group.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>

#include "runtime/event.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

Task<void> note(std::vector<int>& log, int value, Clock::duration after) {
  co_await sleep_until({}, "test.sleep", Deadline::after(after));
  log.push_back(value);
}

Task<void> forever(int& unwound) {
  struct OnExit {
    int& count;
    ~OnExit() { ++count; }
  } const on_exit{unwound};
  while (true) co_await sleep_until({}, "test.forever", Deadline::never());
}

Task<void> fail() {
  co_await sleep_until({}, "test.sleep", Deadline::after(1ms));
  throw std::runtime_error("task failed");
}

Task<int> value_after(Clock::duration after) {
  co_await sleep_until({}, "test.sleep", Deadline::after(after));
  co_return 7;
}

Task<std::vector<int>> run_three() {
  std::vector<int> log;
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(note(log, 1, 0ms));
  group.start(note(log, 2, 1ms));
  group.start(note(log, 3, 2ms));
  co_await group.join({});
  co_return log;
}

TEST(TaskGroup, JoinWaitsForEveryTask) {
  RunningLoop running;
  EXPECT_THAT(running.block_on(run_three()), UnorderedElementsAre(1, 2, 3));
}

Task<int> stop_two() {
  int unwound = 0;
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(forever(unwound));
  group.start(forever(unwound));
  co_await sleep_until({}, "test.sleep", Deadline::after(1ms));
  group.request_stop();
  co_await group.join({});
  co_return unwound;
}

TEST(TaskGroup, RequestStopUnwindsWhatWaits) {
  RunningLoop running;
  EXPECT_EQ(running.block_on(stop_two()), 2);
}

Task<int> stop_before_they_begin() {
  int unwound = 0;
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(forever(unwound));
  group.request_stop();
  group.start(forever(unwound));
  co_await group.join({});
  co_return static_cast<int>(group.running());
}

TEST(TaskGroup, RequestStopReachesTasksThatHaveNotBegun) {
  RunningLoop running;
  EXPECT_EQ(running.block_on(stop_before_they_begin()), 0);
}

Task<void> join_failing() {
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(fail());
  co_await group.join({});
}

TEST(TaskGroup, JoinThrowsWhatATaskThrew) {
  RunningLoop running;
  EXPECT_THROW(running.block_on(join_failing()), std::runtime_error);
}

Task<std::vector<int>> limited() {
  std::vector<int> log;
  std::vector<int> running_at_start;
  TaskGroup group{co_await asio::this_coro::executor};
  for (int i = 0; i < 5; ++i) {
    co_await group.until_fewer_than(2, {});
    running_at_start.push_back(static_cast<int>(group.running()));
    group.start(note(log, i, 1ms));
  }
  co_await group.join({});
  for (int const count : running_at_start) {
    if (count >= 2) log.push_back(-1);
  }
  co_return log;
}

TEST(TaskGroup, UntilFewerThanBoundsWhatRunsSideBySide) {
  RunningLoop running;
  EXPECT_THAT(running.block_on(limited()), UnorderedElementsAre(0, 1, 2, 3, 4));
}

Task<void> join_forever(int& unwound) {
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(forever(unwound));
  group.start(forever(unwound));
  co_await group.join({});
}

Task<int> cancel_the_joiner() {
  int unwound = 0;
  TaskGroup outer{co_await asio::this_coro::executor};
  outer.start(join_forever(unwound));
  bool const finished = co_await outer.join_until(Deadline::after(5ms), {});
  co_return finished ? -1 : unwound;
}

TEST(TaskGroup, CancellingTheJoinerUnwindsItsTasksFirst) {
  RunningLoop running;
  EXPECT_EQ(running.block_on(cancel_the_joiner()), 2);
}

Task<void> start_more_than_fit(int& unwound) {
  TaskGroup group{co_await asio::this_coro::executor};
  for (int i = 0; i < 5; ++i) {
    co_await group.until_fewer_than(2, {});
    group.start(forever(unwound));
  }
  co_await group.join({});
}

Task<int> cancel_who_waits_for_a_slot() {
  int unwound = 0;
  TaskGroup outer{co_await asio::this_coro::executor};
  outer.start(start_more_than_fit(unwound));
  bool const finished = co_await outer.join_until(Deadline::after(5ms), {});
  co_return finished ? -1 : unwound;
}

TEST(TaskGroup, CancellingWhoWaitsForASlotUnwindsTheTasksFirst) {
  RunningLoop running;
  EXPECT_EQ(running.block_on(cancel_who_waits_for_a_slot()), 2);
}

Task<int> slot_after_a_failure() {
  int unwound = 0;
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(forever(unwound));
  group.start(fail());
  bool threw = false;
  try {
    co_await group.until_fewer_than(1, {});
  } catch (std::runtime_error const&) {
    threw = true;
  }
  co_return threw ? unwound : -1;
}

TEST(TaskGroup, WhereATaskThrewTheOthersAreUnwoundBeforeItIsPassedOn) {
  RunningLoop running;
  EXPECT_EQ(running.block_on(slot_after_a_failure()), 1);
}

// Takes until `done` to unwind once its deadline has passed.
Task<int> slow_to_unwind(Event& go_on) {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await sleep_until({}, "test.work", Deadline::never());
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await go_on.wait_until({}, "test.unwind", Deadline::never());
  co_return 1;
}

Task<void> inner_deadline_then_more(Event& go_on, bool& went_on) {
  auto work = slow_to_unwind(go_on);
  co_await within(Deadline::after(1ms), std::move(work), {});
  co_await sleep_until({}, "test.rest", Deadline::after(1ms));
  went_on = true;
}

Task<bool> cancelled_during_an_inner_unwinding() {
  auto const executor = co_await asio::this_coro::executor;
  Event go_on{executor};
  bool went_on = false;
  TaskGroup group{executor};
  group.start(inner_deadline_then_more(go_on, went_on));
  co_await sleep_until({}, "test.sleep", Deadline::after(20ms));
  group.request_stop();
  co_await sleep_until({}, "test.sleep", Deadline::after(1ms));
  go_on.notify();
  co_await group.join({});
  co_return went_on;
}

TEST(Within, KeepsACancellationThatArrivesWhileTheWorkUnwinds) {
  RunningLoop running;
  EXPECT_FALSE(running.block_on(cancelled_during_an_inner_unwinding()));
}

TEST(Within, GivesTheValueOfWorkThatIsDoneInTime) {
  RunningLoop running;
  auto work = within(Deadline::after(60s), value_after(0ms), {});
  EXPECT_EQ(running.block_on(std::move(work)), 7);
}

TEST(Within, GivesNothingOnceTheDeadlinePasses) {
  RunningLoop running;
  auto work = within(Deadline::after(1ms), value_after(1h), {});
  EXPECT_EQ(running.block_on(std::move(work)), std::nullopt);
}

Task<std::vector<int>> go_on_after_a_timeout() {
  std::vector<int> log;
  auto late = within(Deadline::after(1ms), value_after(1h), {});
  if (!co_await std::move(late)) log.push_back(1);
  co_await note(log, 2, 1ms);  // an ordinary wait still works
  co_return log;
}

TEST(Within, LeavesTheCallerAbleToWaitAgain) {
  RunningLoop running;
  EXPECT_THAT(running.block_on(go_on_after_a_timeout()), ElementsAre(1, 2));
}

}  // namespace
}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// A broken promise ends the process with the promise and the place.
#include "runtime/contract.h"

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>

#include "runtime/event.h"
#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;

// A death test runs its statement in a new process of the same program.
class ContractDeathTest : public ::testing::Test {
 protected:
  ContractDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST(Contract, HoldsInSilence) { require(true, "holds"); }

TEST_F(ContractDeathTest, ABrokenPromiseIsToldWithItsPlace) {
  EXPECT_DEATH(require(false, "an egg is an egg"),
               "canaryd: broken promise: an egg is an egg, at tests/runtime/contract_test.cc:");
}

Task<void> forever() {
  while (true) co_await sleep_until({}, "test.forever", Deadline::never());
}

Task<void> leave_without_join() {
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(forever());
}

void leave_a_group_unjoined() {
  RunningLoop running;
  running.block_on(leave_without_join());
}

TEST_F(ContractDeathTest, ATaskGroupThatWasNotJoinedIsRefused) {
  EXPECT_DEATH(leave_a_group_unjoined(), "a TaskGroup is joined before it goes");
}

Task<void> join_for_ever() {
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(forever());
  co_await group.join({});
}

Task<void> start_in(TaskGroup& group) {
  group.start(join_for_ever());
  co_return;
}

TEST(Contract, ALoopThatIsTakenDownTakesItsCoroutinesAlong) {
  Loop loop;
  loop.start();
  TaskGroup group{loop.executor()};
  block_on(loop, start_in(group), Deadline::after(60s));
  loop.stop();
  loop.join();
}

#ifdef CANARY_CHECKS_THREADS
void notify_from_outside() {
  RunningLoop running;
  Event event{running.executor()};
  running.block_on(sleep_until({}, "test.sleep", Deadline::after(1ms)));
  event.notify();
}

TEST_F(ContractDeathTest, AnotherThreadThanTheLoopsIsRefused) {
  EXPECT_DEATH(notify_from_outside(),
               "called on the loop's thread only, while the loop runs, at runtime/event.cc:");
}
#endif

TEST(Contract, BeforeTheLoopRunsAnyThreadMayPrepareWhatLivesOnIt) {
  Loop loop;
  Event event{loop.executor()};
  event.notify();
}

}  // namespace
}  // namespace canary::runtime

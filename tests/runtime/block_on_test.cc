// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_on.h"

#include <future>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>

#include "runtime/event.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

Task<std::string> greeting() {
  co_await sleep_until({}, "test.sleep", Deadline::after(1ms));
  co_return "hello";
}

Task<void> failing() {
  co_await sleep_until({}, "test.sleep", Deadline::after(1ms));
  throw std::runtime_error("no luck");
}

Task<void> endless(bool* unwound) {
  struct OnExit {
    bool* unwound;
    ~OnExit() { *unwound = true; }
  } const on_exit{unwound};
  co_await sleep_until({}, "test.forever", Deadline::never());
  co_await sleep_until({}, "test.forever", Deadline::never());
}

Task<void> stop_and_wait(std::stop_source& stop, bool* unwound) {
  stop.request_stop();
  co_await endless(unwound);
}

TEST(BlockOn, GivesTheResultOfTheCoroutine) {
  RunningLoop running;
  EXPECT_EQ(running.block_on(greeting()), "hello");
}

TEST(BlockOn, ThrowsWhatTheCoroutineThrew) {
  RunningLoop running;
  EXPECT_THROW(running.block_on(failing()), std::runtime_error);
}

TEST(BlockOn, IsRefusedOnTheLoopThread) {
  RunningLoop running;
  std::promise<std::string> said;
  running.loop().post([&] {
    try {
      block_on(running.loop(), greeting(), Deadline::after(60s));
      said.set_value("returned");
    } catch (NestedLoop const& refused) {
      said.set_value(refused.what());
    }
  });
  EXPECT_THAT(said.get_future().get(),
              AllOf(HasSubstr("block_on at"), HasSubstr("block_on_test.cc"),
                    HasSubstr("running_loop.h"), HasSubstr("co_await")));
}

TEST(BlockOn, IsRefusedWhereNothingRunsTheLoop) {
  Loop loop;
  EXPECT_THROW(block_on(loop, greeting(), Deadline::after(60s)), LoopNotRunning);
}

TEST(BlockOn, CancelsTheCoroutineAtTheDeadline) {
  RunningLoop running;
  bool unwound = false;
  EXPECT_THROW(block_on(running.loop(), endless(&unwound), Deadline::after(5ms)), DeadlinePassed);
  EXPECT_TRUE(unwound);
}

TEST(BlockOn, IsInterruptedByAStopRequest) {
  RunningLoop running;
  bool unwound = false;
  std::stop_source stop;
  EXPECT_THROW(
      block_on(running.loop(), stop_and_wait(stop, &unwound), Deadline::never(), stop.get_token()),
      Interrupted);
}

}  // namespace
}  // namespace canary::runtime

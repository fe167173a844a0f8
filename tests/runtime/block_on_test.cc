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

struct Seen {
  bool begun = false, unwound = false;
};

Task<void> endless(Seen* seen) {
  struct OnExit {
    Seen* seen;
    ~OnExit() { seen->unwound = true; }
  } const on_exit{seen};
  seen->begun = true;
  co_await sleep_until({}, "test.forever", Deadline::never());
  co_await sleep_until({}, "test.forever", Deadline::never());
}

Task<void> stop_and_wait(std::stop_source& stop, Seen* seen) {
  stop.request_stop();
  co_await endless(seen);
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
  Seen seen;
  // On a busy machine a deadline may pass before the loop begins the coroutine: then a later one.
  for (auto limit = 5ms; !seen.begun; limit *= 2) {
    EXPECT_THROW(block_on(running.loop(), endless(&seen), Deadline::after(limit)), DeadlinePassed);
  }
  EXPECT_TRUE(seen.unwound);
}

TEST(BlockOn, IsInterruptedByAStopRequest) {
  RunningLoop running;
  Seen seen;
  std::stop_source stop;
  EXPECT_THROW(
      block_on(running.loop(), stop_and_wait(stop, &seen), Deadline::never(), stop.get_token()),
      Interrupted);
  EXPECT_TRUE(seen.unwound);
}

}  // namespace
}  // namespace canary::runtime

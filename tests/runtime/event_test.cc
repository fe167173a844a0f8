// SPDX-License-Identifier: Apache-2.0
#include "runtime/event.h"

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>

#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;

struct Seen {
  int turns = 0;     // of both waiters' loops
  int notified = 0;  // waits that said so
};

Task<void> wait_for_it(Event& event, bool const& happened, Seen& seen) {
  while (!happened) {
    ++seen.turns;
    if (co_await event.wait_until({}, "test.wait", Deadline::never())) ++seen.notified;
  }
}

Task<Seen> two_waiters(bool happens) {
  auto const executor = co_await asio::this_coro::executor;
  Event event{executor};
  Seen seen;
  bool happened = false;
  TaskGroup group{executor};
  group.start(wait_for_it(event, happened, seen));
  group.start(wait_for_it(event, happened, seen));
  co_await sleep_until({}, "test.sleep", Deadline::after(20ms));
  if (!happens) {
    event.notify();  // for nothing: both look again, and wait again
    co_await sleep_until({}, "test.sleep", Deadline::after(20ms));
  }
  happened = true;
  event.notify();
  co_await group.join({});
  co_return seen;
}

TEST(Event, OneNotificationWakesEveryWaiterOnce) {
  RunningLoop running;
  Seen const seen = running.block_on(two_waiters(true));
  EXPECT_EQ(seen.turns, 2);
  EXPECT_EQ(seen.notified, 2);
}

TEST(Event, WaitersDoNotWakeEachOther) {
  RunningLoop running;
  Seen const seen = running.block_on(two_waiters(false));
  EXPECT_EQ(seen.turns, 4);
  EXPECT_EQ(seen.notified, 4);
}

Task<bool> notified_before_the_wait() {
  Event event{co_await asio::this_coro::executor};
  event.notify();
  co_return co_await event.wait_until({}, "test.wait", Deadline::after(5ms));
}

TEST(Event, ForgetsANotificationThatNobodyWaitedFor) {
  RunningLoop running;
  EXPECT_FALSE(running.block_on(notified_before_the_wait()));
}

Task<void> wait_once(Event& event, int& answers) {
  answers = co_await event.wait_until({}, "test.wait", Deadline::after(1h)) ? 1 : 0;
}

// A wait that was cancelled says so, even where the notification came first.
Task<int> notified_and_cancelled() {
  auto const executor = co_await asio::this_coro::executor;
  Event event{executor};
  int answer = -1;
  TaskGroup group{executor};
  group.start(wait_once(event, answer));
  co_await sleep_until({}, "test.sleep", Deadline::after(5ms));
  event.notify();
  group.request_stop();
  co_await group.join({});
  co_return answer;
}

TEST(Event, ACancelledWaitIsNoNotifiedOne) {
  RunningLoop running;
  EXPECT_NE(running.block_on(notified_and_cancelled()), 1);
}

}  // namespace
}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// Thread: main.
#include "runtime/aside.h"

#include <future>
#include <stdexcept>

#include <gtest/gtest.h>

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Aside, GivesWhatTheCallReturnedOrThrew) {
  Aside<int> good{"test", [] { return 7; }};
  ASSERT_TRUE(good.wait(Deadline::never()));
  EXPECT_EQ(good.take(), 7);
  Aside<int> bad{"test", []() -> int { throw std::runtime_error("no"); }};
  ASSERT_TRUE(bad.wait(Deadline::never()));
  EXPECT_THROW(bad.take(), std::runtime_error);
}

TEST(Aside, IsLeftAloneAtTheDeadlineOrAtAStop) {
  std::promise<void> thaw;
  auto const thawed = thaw.get_future().share();
  Aside<int> call{"test", [thawed] {
                    thawed.wait();
                    return 1;
                  }};
  EXPECT_FALSE(call.wait(Deadline::after(1ms)));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(call.wait(Deadline::never(), stop.get_token()));
  EXPECT_FALSE(call.ended());
  EXPECT_GE(calls_left(), 1U);
  thaw.set_value();
  EXPECT_TRUE(call.wait(Deadline::never()));
}

}  // namespace
}  // namespace canary::runtime

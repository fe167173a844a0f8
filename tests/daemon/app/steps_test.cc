// SPDX-License-Identifier: Apache-2.0
// When a step that stands still is worth a line.
// Thread: main.
#include "daemon/app/steps.h"

#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using Seen = runtime::Stage::Seen;

TEST(StandingStill, IsDueAfterFiveSecondsAndThenEveryThirty) {
  EXPECT_EQ(lines_due(4'999ms), 0U);
  EXPECT_EQ(lines_due(5s), 1U);
  EXPECT_EQ(lines_due(34'999ms), 1U);
  EXPECT_EQ(lines_due(35s), 2U);
  EXPECT_EQ(lines_due(65s), 3U);
}

TEST(StandingStill, IsToldOnceForEachLine) {
  StandingStill standing;
  EXPECT_FALSE(standing.due({.what = "a", .entered = 1, .age = 1s}));
  EXPECT_TRUE(standing.due({.what = "a", .entered = 1, .age = 6s}));
  EXPECT_FALSE(standing.due({.what = "a", .entered = 1, .age = 7s}));
  // A look that came late tells once, not for all that it missed.
  EXPECT_TRUE(standing.due({.what = "a", .entered = 1, .age = 99s}));
  EXPECT_FALSE(standing.due({.what = "a", .entered = 1, .age = 100s}));
}

TEST(StandingStill, BeginsAnewWithTheNextStep) {
  StandingStill standing;
  EXPECT_TRUE(standing.due({.what = "a", .entered = 1, .age = 6s}));
  EXPECT_FALSE(standing.due({.what = "b", .entered = 2, .age = 1s}));
  EXPECT_TRUE(standing.due({.what = "b", .entered = 2, .age = 6s}));
}

TEST(Steps, AreTheReadersWhileSomebodyReads) {
  Steps steps;
  steps.enter("reloading");
  auto const reading = steps.begin_reading();
  reading->enter("reading /x");
  EXPECT_EQ(steps.look().what, "reading /x");
  steps.end_reading();
  EXPECT_EQ(steps.look().what, "reloading");
  reading->enter("reading /y");  // it was given up, and goes on
  EXPECT_EQ(steps.look().what, "reloading");
}

}  // namespace
}  // namespace canary::daemon

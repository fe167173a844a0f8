// SPDX-License-Identifier: Apache-2.0
// How late the loop was: what the watchdog keeps of it, and how it is drawn.
#include "daemon/publish/page/lag_chart.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/tell/loop_curve.h"
#include "tests/daemon/publish/page_fixture.h"

namespace canary::daemon::page {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using Curve = watchdog::LoopCurve;

constexpr std::int64_t kStep = Curve::kStepNs;

TEST(LoopCurve, KeepsTheWorstOfEachStretch) {
  runtime::LoopRecord loop;
  Curve curve;
  std::int64_t const now = 1'000 * kStep + kStep / 2;
  curve.look(loop, 3'000'000'000, now);
  curve.look(loop, 1'000'000'000, now + 1);
  EXPECT_EQ(curve.at(1'000), 3'000'000U);
  EXPECT_FALSE(curve.at(999)) << "nobody looked then";
  curve.look(loop, 0, now + kStep);
  EXPECT_EQ(curve.at(1'001), 0U) << "it turned";
}

TEST(LoopCurve, TakesTheBeatsOfTheStretchBeforeFromTheLoop) {
  runtime::LoopRecord loop;
  Curve curve;
  auto& slot = loop.lag_history[1'000 % runtime::kLagSlots];
  slot.number = 1'000;
  slot.worst_ns = 70'000'000;
  curve.look(loop, 0, 1'001 * kStep + 1);
  EXPECT_EQ(curve.at(1'000), 70'000U);
  slot.number = 940;  // an older one in its place
  slot.worst_ns = 90'000'000;
  curve.look(loop, 0, 1'001 * kStep + 2);
  EXPECT_EQ(curve.at(1'000), 70'000U);
}

TEST(LoopCurve, ForgetsWhatIsAnHourAgo) {
  runtime::LoopRecord const loop;
  Curve curve;
  curve.look(loop, 5'000, 1'000 * kStep);
  curve.look(loop, 0, (1'000 + static_cast<std::int64_t>(Curve::kPlaces)) * kStep);
  EXPECT_FALSE(curve.at(1'000));
}

TEST(LoopCurve, HoldsWhatIsLongerThanItCanSay) {
  runtime::LoopRecord const loop;
  Curve curve;
  curve.look(loop, INT64_MAX, 1'000 * kStep);
  EXPECT_EQ(curve.at(1'000), UINT32_MAX);
}

TEST_F(Page, HasHowLateTheLoopWasWithItsThresholds) {
  EXPECT_THAT(overview(), Not(HasSubstr("How late its loop was"))) << "nothing is known";
  own_.lag.assign(Curve::kPlaces, std::nullopt);
  own_.lag_suspect = 250ms;
  own_.lag_stall = 1s;
  for (std::size_t i = 300; i < Curve::kPlaces; ++i) own_.lag[i] = 800us;
  own_.lag[330] = 27s;
  auto const page = overview();
  EXPECT_THAT(page, HasSubstr("at most 27 s, at 01:55:10 UTC"));
  EXPECT_THAT(page, HasSubstr("suspect, from 250 ms on; upper line: a stall, from 1 s on"));
  auto const path = page.substr(page.find("<path class=\"dark\" d=\""));
  EXPECT_TRUE(path.starts_with("<path class=\"dark\" d=\"M600 93h60V1h2V93h58\""))
      << path.substr(0, 80);
}

TEST_F(Page, DrawsAGapWhereNobodyLookedAtTheLoop) {
  own_.lag.assign(Curve::kPlaces, 0us);
  own_.lag_suspect = 250ms;
  own_.lag_stall = 1s;
  own_.lag[100].reset();
  EXPECT_THAT(overview(), HasSubstr("d=\"M0 99h200M202 99h518\""));
}

}  // namespace
}  // namespace canary::daemon::page

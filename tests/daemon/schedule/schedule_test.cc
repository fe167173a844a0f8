// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/schedule.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr TimePoint kStart{1'000h};

TEST(Phase, IsTheSameForTheSameName) {
  EXPECT_EQ(phase("sigstore", 5min), phase("sigstore", 5min));
}

TEST(Schedule, GivesSoManyAtOnceAndTheRestIsStillDue) {
  Schedule schedule{0s};
  for (int i = 0; i < 100; ++i) schedule.set("probe-" + std::to_string(i), 60s, kStart);

  EXPECT_THAT(schedule.take_due(kStart, 40), SizeIs(40));
  EXPECT_LE(schedule.next(), kStart);
  EXPECT_THAT(schedule.take_due(kStart, 40), SizeIs(40));
  EXPECT_THAT(schedule.take_due(kStart, 40), SizeIs(20));
  EXPECT_GT(schedule.next(), kStart);
}

TEST(Phase, SpreadsNeighbouringNamesEvenly) {
  std::vector<int> per_tenth(10, 0);
  for (int i = 0; i < 1'000; ++i) {
    ++per_tenth[static_cast<std::size_t>(phase("probe-" + std::to_string(i), 10s) / 1s)];
  }
  EXPECT_GT(*std::ranges::min_element(per_tenth), 60);
  EXPECT_LT(*std::ranges::max_element(per_tenth), 140);
}

TEST(Schedule, StartsEveryProbeWithinTheSpread) {
  Schedule schedule{60s};
  for (int i = 0; i < 100; ++i) schedule.set("probe-" + std::to_string(i), 1h, kStart);
  EXPECT_THAT(schedule.take_due(kStart + 60s), SizeIs(100));
}

TEST(Schedule, SpreadsNoWiderThanTheInterval) {
  Schedule schedule{60s};
  schedule.set("fast", 1s, kStart);
  EXPECT_THAT(schedule.take_due(kStart + 1s), SizeIs(1));
}

TEST(Schedule, KeepsAFixedRateHoweverLateItIsAsked) {
  Schedule schedule{10s};
  schedule.set("probe", 10s, kStart);
  schedule.take_due(kStart + 10s);
  TimePoint const second = *schedule.next("probe");
  schedule.take_due(second + 3s);
  EXPECT_EQ(*schedule.next("probe"), second + 10s);
}

TEST(Schedule, PutsLaterRunsOntoTheProbesOwnGrid) {
  Schedule early{60s};
  Schedule late{60s};
  early.set("probe", 1h, kStart);
  late.set("probe", 1h, kStart + 17min);
  early.take_due(kStart + 60s);
  late.take_due(kStart + 18min);
  EXPECT_EQ((*early.next("probe") - *late.next("probe")) % 1h, 0s);
}

TEST(Schedule, CountsMissedRunsInsteadOfMakingThemUp) {
  Schedule schedule{10s};
  schedule.set("probe", 10s, kStart);
  schedule.take_due(kStart + 10s);
  TimePoint const second = *schedule.next("probe");
  auto const due = schedule.take_due(second + 35s);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0].at, second);
  EXPECT_EQ(due[0].missed, 3U);
  EXPECT_THAT(schedule.take_due(second + 35s), IsEmpty());
  EXPECT_EQ(*schedule.next("probe"), second + 40s);
}

TEST(Schedule, GivesTheEarliestFirst) {
  Schedule schedule{60s};
  for (int i = 0; i < 50; ++i) schedule.set("probe-" + std::to_string(i), 1h, kStart);
  auto const due = schedule.take_due(kStart + 60s);
  EXPECT_TRUE(std::ranges::is_sorted(due, {}, &Due::at));
}

TEST(Schedule, KeepsTheTimesOfAnUnchangedProbe) {
  Schedule schedule{60s};
  schedule.set("probe", 1h, kStart);
  TimePoint const due = *schedule.next("probe");
  schedule.set("probe", 1h, kStart + 30s);
  EXPECT_EQ(*schedule.next("probe"), due);
}

TEST(Schedule, StartsAProbeAnewWhoseIntervalChanged) {
  Schedule schedule{60s};
  schedule.set("probe", 1h, kStart);
  schedule.set("probe", 2h, kStart + 10h);
  EXPECT_GE(*schedule.next("probe"), kStart + 10h);
  EXPECT_LE(*schedule.next("probe"), kStart + 10h + 60s);
}

TEST(Schedule, ForgetsARemovedProbe) {
  Schedule schedule{60s};
  schedule.set("probe", 1h, kStart);
  schedule.remove("probe");
  EXPECT_EQ(schedule.next(), std::nullopt);
  EXPECT_THAT(schedule.take_due(kStart + 100h), IsEmpty());
}

}  // namespace
}  // namespace canary::daemon

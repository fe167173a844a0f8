// SPDX-License-Identifier: Apache-2.0
// What the machine did to the process is recognised.
#include "daemon/watchdog/judge/surroundings.h"

#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kS = 1'000 * kMs;
constexpr std::int64_t kFrom = 100 * kS;  // when the watchdog went to sleep, for 100 ms

struct Passed {
  std::int64_t monotonic = 100 * kMs, boot = 0, wall = 0;  // 0: as monotonic
  std::int64_t own_delay = 0, throttled = 0, steal = 0;
};

Assessment after_sleep(Passed const& passed) {
  Surroundings const before{.monotonic_ns = kFrom, .boot_ns = 500 * kS, .wall_ns = 9'000 * kS};
  std::int64_t const boot = passed.boot == 0 ? passed.monotonic : passed.boot;
  Surroundings const now{.monotonic_ns = before.monotonic_ns + passed.monotonic,
                         .boot_ns = before.boot_ns + boot,
                         .wall_ns = before.wall_ns + (passed.wall == 0 ? boot : passed.wall),
                         .own_delay_ns = passed.own_delay,
                         .throttled_ns = passed.throttled,
                         .steal_ns = passed.steal};
  return assess(before, now, kFrom, kFrom + 100 * kMs);
}

TEST(Assess, APunctualTickIsNothing) {
  auto const found = after_sleep({.monotonic = 101 * kMs});

  EXPECT_FALSE(found.disturbed);
  EXPECT_EQ(found.grace_ns, 0);
  EXPECT_EQ(found.late_ns, 1 * kMs);
}

TEST(Assess, OwnLatenessIsGrace) {
  auto const found = after_sleep({.monotonic = 140 * kMs});

  EXPECT_FALSE(found.disturbed);
  EXPECT_EQ(found.grace_ns, 40 * kMs);
}

TEST(Assess, WithoutHavingWaitedForACpuTheProcessWasStopped) {
  auto const found = after_sleep({.monotonic = 5 * kS});

  EXPECT_TRUE(found.disturbed);
  EXPECT_EQ(found.kind, Disturbance::stopped);
  EXPECT_EQ(found.grace_ns, 5 * kS - 100 * kMs);
  EXPECT_TRUE(found.pause);
}

TEST(Assess, HavingWaitedForACpuItWasStarved) {
  auto const found = after_sleep({.monotonic = 2 * kS, .own_delay = 1'800 * kMs});

  EXPECT_EQ(found.kind, Disturbance::starved);
  EXPECT_FALSE(found.pause) << "hangs are judged under steady starvation, too";
}

TEST(Assess, WantOfCpuIsToldApartForItsGraceHasABound) {
  auto const stopped = after_sleep({.monotonic = 5 * kS});
  EXPECT_EQ(stopped.starved_ns, 0);
  auto const starved = after_sleep({.monotonic = 5 * kS, .own_delay = 4 * kS});
  EXPECT_EQ(starved.starved_ns, starved.grace_ns);
  auto const held = after_sleep({.monotonic = 190 * kMs, .throttled = 95 * kMs});
  EXPECT_EQ(held.starved_ns, held.grace_ns);
  EXPECT_GT(held.grace_ns, 0);
}

TEST(Assess, TheCgroupsQuotaStarves) {
  auto const late = after_sleep({.monotonic = 400 * kMs, .throttled = 280 * kMs});
  auto const punctual = after_sleep({.throttled = 60 * kMs});

  EXPECT_EQ(late.kind, Disturbance::starved);
  EXPECT_EQ(punctual.grace_ns, 60 * kMs);
}

// A tick may be held up at its work, before the sleep that is looked at.
TEST(Assess, WhatStarvedTheLastTickIsGraceToo) {
  Surroundings const before{.monotonic_ns = kFrom - 1'200 * kMs};
  Surroundings const now{.monotonic_ns = kFrom + 100 * kMs,
                         .boot_ns = 1'300 * kMs,
                         .wall_ns = 1'300 * kMs,
                         .own_delay_ns = 1'150 * kMs,
                         .throttled_ns = 1'100 * kMs};
  auto const found = assess(before, now, kFrom, kFrom + 100 * kMs);

  EXPECT_EQ(found.grace_ns, 1'150 * kMs);
  EXPECT_EQ(found.starved_ns, 1'150 * kMs);
}

TEST(Assess, OtherMachinesStealStarves) {
  auto const found = after_sleep({.monotonic = 900 * kMs, .steal = 700 * kMs});

  EXPECT_EQ(found.kind, Disturbance::starved);
  EXPECT_EQ(found.grace_ns, 800 * kMs);
}

TEST(Assess, ASuspendedMachineShowsInTheBootClock) {
  auto const found = after_sleep({.boot = 3'600 * kS});

  EXPECT_EQ(found.kind, Disturbance::suspended);
  EXPECT_EQ(found.clock_step_ns, 0);
  EXPECT_TRUE(found.pause);
}

TEST(Assess, AStepOfTheWallClockChangesNoAge) {
  auto const forth = after_sleep({.wall = 3'600 * kS});
  auto const back = after_sleep({.wall = -3'600 * kS});

  EXPECT_NEAR(static_cast<double>(forth.clock_step_ns), 3'600e9, 1e9);
  EXPECT_NEAR(static_cast<double>(back.clock_step_ns), -3'600e9, 1e9);
  EXPECT_EQ(forth.grace_ns, 0);
  EXPECT_FALSE(back.disturbed);
}

TEST(Assess, AWakeBeforeItsTimeIsNotLate) {
  auto const found = after_sleep({.monotonic = 20 * kMs});

  EXPECT_EQ(found.late_ns, 0);
  EXPECT_EQ(found.grace_ns, 0);
}

}  // namespace
}  // namespace canary::watchdog

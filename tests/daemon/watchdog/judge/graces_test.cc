// SPDX-License-Identifier: Apache-2.0
// Whose age leaves out which time, and for how long nobody is judged.
#include "daemon/watchdog/judge/graces.h"

#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;
constexpr std::int64_t kFrom = 100 * kS;
constexpr Moment kAt{.now_ns = 110 * kS, .previous_ns = kFrom};

TEST(Graces, WhatHeldEverybodyIsGraceForAll) {
  Graces graces;
  graces.add_all({.grace_ns = 4 * kS}, kAt);
  graces.add_loop(0, kAt);
  graces.add_runs(false, false, kAt);
  graces.add_server(0, kFrom, kAt.now_ns);

  EXPECT_EQ(graces.all().age(kFrom, kAt.now_ns, kS), 6 * kS);
  EXPECT_EQ(graces.loop().age(kFrom, kAt.now_ns, kS), 6 * kS);
  EXPECT_EQ(graces.server().age(kFrom, kAt.now_ns, kS), 6 * kS);
  EXPECT_EQ(graces.runs().age(kFrom, kAt.now_ns), 6 * kS);
}

TEST(Graces, WantOfCpuIsGraceWithinTheBound) {
  Graces graces;
  graces.add_all({.grace_ns = 4 * kS, .starved_ns = 4 * kS}, kAt);

  EXPECT_EQ(graces.all().age(kFrom, kAt.now_ns, 1 * kS), 9 * kS);
  EXPECT_EQ(graces.all().everybodys(kFrom, kAt.now_ns), 0);
}

TEST(Graces, WhatIsWithheldFromTheLoopIsNoGraceForOthers) {
  Graces graces;
  graces.add_loop(3 * kS, kAt);
  graces.add_runs(false, false, kAt);

  EXPECT_EQ(graces.loop().age(kFrom, kAt.now_ns, 10 * kS), 7 * kS);
  EXPECT_EQ(graces.runs().age(kFrom, kAt.now_ns), 7 * kS) << "a run moves on the loop";
  EXPECT_EQ(graces.all().age(kFrom, kAt.now_ns, 10 * kS), 10 * kS);
}

TEST(Graces, ARunDoesNotAgeWhileTheLoopIsLate) {
  Graces graces;
  graces.add_runs(true, false, kAt);

  EXPECT_EQ(graces.runs().age(kFrom, kAt.now_ns), 0);
  EXPECT_EQ(graces.waiting().age(kFrom, kAt.now_ns), 0);
}

TEST(Graces, ARunWaitsForADiskThatStandsStillAndTheSchedulerDoesNot) {
  Graces graces;
  graces.add_runs(false, true, kAt);

  EXPECT_EQ(graces.waiting().age(kFrom, kAt.now_ns), 0);
  EXPECT_EQ(graces.runs().age(kFrom, kAt.now_ns), 10 * kS);
}

TEST(JudgingPause, LastsAFewLooksAfterTheProcessWasHeld) {
  JudgingPause pause;
  for (int i = 0; i < JudgingPause::kLooks; ++i) pause.look(false);

  pause.look(true);
  for (int i = 0; i < JudgingPause::kLooks; ++i) {
    EXPECT_TRUE(pause.on()) << i;
    pause.look(false);
  }
  EXPECT_FALSE(pause.on());
}

TEST(JudgingPause, WhoIsHeldAgainAndAgainIsJudgedInBetween) {
  JudgingPause pause;
  for (int i = 0; i < JudgingPause::kLooks; ++i) pause.look(false);
  pause.look(true);
  for (int i = 0; i < JudgingPause::kLooks; ++i) pause.look(false);

  pause.look(true);
  EXPECT_FALSE(pause.on()) << "it was not judged since the last pause";
}

TEST(JudgingPause, GoesOnWhileTheProcessIsStillHeld) {
  JudgingPause pause;
  for (int i = 0; i < JudgingPause::kLooks; ++i) pause.look(false);
  for (int i = 0; i < 10; ++i) pause.look(true);

  EXPECT_TRUE(pause.on());
}

}  // namespace
}  // namespace canary::watchdog

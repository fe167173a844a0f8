// SPDX-License-Identifier: Apache-2.0
// What stands still by the wall clock, whosever fault it is.
#include "daemon/watchdog/judge/standing.h"

#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;
constexpr std::int64_t kNow = 1'000 * kS;

LoopFacts in_a_handler_since(std::int64_t since) {
  return {.in_run = true,
          .entered_ns = kS,
          .beats = 5,
          .handler_since_ns = since,
          .beat_due_ns = kNow + kS};
}

TEST(LoopWatch, StandsAtTheSecondLook) {
  LoopWatch watch;
  LoopFacts const facts = in_a_handler_since(kNow - 9 * kS);

  EXPECT_EQ(watch.look(facts, {}, Verdict::lock, {}, kNow).since_ns, 0);
  auto const second = watch.look(facts, {}, Verdict::lock, {}, kNow);
  EXPECT_EQ(second.since_ns, kNow - 9 * kS);
  EXPECT_EQ(second.verdict, Verdict::lock);
}

TEST(LoopWatch, ALookAtWhichItTurnedBeginsAnew) {
  LoopWatch watch;
  LoopFacts const facts = in_a_handler_since(kNow - 9 * kS);
  watch.look(facts, {}, Verdict::lock, {}, kNow);
  watch.look(in_a_handler_since(0), {}, Verdict::none, {}, kNow);

  EXPECT_EQ(watch.look(facts, {}, Verdict::lock, {}, kNow).since_ns, 0);
}

TEST(LoopWatch, ItIsSeenInWhatTheJudgementSays) {
  LoopWatch watch;
  Incident judged;
  judged.verdict = Verdict::starved;

  EXPECT_EQ(watch.look(in_a_handler_since(0), judged, Verdict::lock, {}, kNow).verdict,
            Verdict::starved);
}

TEST(LoopWatch, WhatNobodyCanSayIsUnknown) {
  LoopWatch watch;
  LoopFacts const facts = in_a_handler_since(kNow - 9 * kS);
  watch.look(facts, {}, Verdict::none, {}, kNow);

  EXPECT_EQ(watch.look(facts, {}, Verdict::none, {}, kNow).verdict, Verdict::unknown);
}

TEST(PartsStanding, IsOfOneRound) {
  PartsStanding standing;
  auto const log = static_cast<std::size_t>(Subject::log);
  standing.stands(Subject::log, Verdict::none);
  EXPECT_EQ(standing.at(log), Verdict::unknown);

  standing.begin_round();
  EXPECT_EQ(standing.at(log), Verdict::none);
}

}  // namespace
}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// Who is accused of what, row by row of the catalogue of hangs; and who is not.
#include <sys/syscall.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/watchdog/judge/loop_facts.h"

namespace canary::watchdog {
namespace {

struct KeyRow {
  char const* name;
  Threads threads;
  Verdict verdict;
};

class VerdictKey : public testing::TestWithParam<KeyRow> {};

TEST_P(VerdictKey, OfAHandlerThatRunsForTwoSeconds) {
  auto const judged = judge(stuck(2 * kS), GetParam().threads);

  EXPECT_EQ(judged.verdict, GetParam().verdict) << to_text(judged.verdict);
  EXPECT_EQ(judged.level, Level::stalled);
  EXPECT_EQ(judged.since_ns, kNow - 2 * kS);
}

Threads traced(char state) {
  Threads threads = thread(state, 0);
  threads.now.traced = true;
  return threads;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, VerdictKey,
    testing::Values(
        KeyRow{"computes", thread('R', 240 * kMs), Verdict::cpu_loop},
        KeyRow{"computes_seen_in_a_call", thread('S', 200 * kMs, 0, SYS_read), Verdict::cpu_loop},
        KeyRow{"computes_under_a_quota", thread('R', 50 * kMs, 190 * kMs), Verdict::cpu_loop},
        KeyRow{"mutex", thread('S', 0, 0, SYS_futex), Verdict::lock},
        KeyRow{"sleeps", thread('S', 0, 0, SYS_clock_nanosleep), Verdict::blocking_call},
        KeyRow{"reads_a_pipe", thread('S', 0, 0, SYS_read), Verdict::blocking_call},
        KeyRow{"epoll_inside_a_handler", waiting_for_events(), Verdict::blocking_call},
        KeyRow{"dead_disk", thread('D', 0), Verdict::disk},
        KeyRow{"runnable_without_a_cpu", thread('R', 1 * kMs, 240 * kMs), Verdict::starved},
        KeyRow{"stopped", thread('T', 0), Verdict::stopped},
        KeyRow{"debugger", thread('t', 0), Verdict::traced},
        KeyRow{"stopped_by_debugger", traced('T'), Verdict::traced}),
    [](auto const& row) { return std::string{row.param.name}; });

TEST(VerdictKey, SleepsInALoopSeenRunningOnce) {
  Threads threads = thread('S', 5 * kMs, 1 * kMs, SYS_clock_nanosleep);
  threads.now.state = 'R';

  EXPECT_EQ(thread_verdict(threads.before, threads.now), Verdict::blocking_call);
}

TEST(VerdictKey, OneSampleOfARunningThreadTellsNothing) {
  EXPECT_EQ(thread_verdict({}, spinning().now), Verdict::none);
}

struct LevelRow {
  std::int64_t age;
  Level level;
};
class LoopLevel : public testing::TestWithParam<LevelRow> {};

TEST_P(LoopLevel, FollowsTheAge) {
  EXPECT_EQ(judge(stuck(GetParam().age), spinning()).level, GetParam().level);
}

INSTANTIATE_TEST_SUITE_P(
    Ages, LoopLevel,
    testing::Values(LevelRow{249 * kMs, Level::fine}, LevelRow{250 * kMs, Level::suspect},
                    LevelRow{999 * kMs, Level::suspect}, LevelRow{1 * kS, Level::stalled},
                    LevelRow{10 * kS, Level::hung}, LevelRow{30 * kS, Level::dead}));

TEST(JudgeLoop, ThatTurnsIsFine) {
  LoopFacts loop = stuck(0);
  loop.handler_since_ns = 0;
  loop.beat_due_ns = kNow + 50 * kMs;

  EXPECT_EQ(judge(loop, waiting_for_events()).level, Level::fine);
  EXPECT_EQ(judge(loop, waiting_for_events()).verdict, Verdict::none);
}

TEST(JudgeLoop, WhoseBeatIsDueButWhichWaitsForEventsLostAWakeup) {
  LoopFacts loop = stuck(2 * kS);
  loop.handler_since_ns = 0;

  auto const judged = judge(loop, waiting_for_events());

  EXPECT_EQ(judged.verdict, Verdict::lost_wakeup);
  EXPECT_EQ(judged.level, Level::stalled);
}

TEST(JudgeLoop, ThatRunsShortHandlersWithoutEndIsFlooded) {
  LoopFacts loop = stuck(2 * kS);
  loop.handler_since_ns = kNow - 1 * kMs;
  loop.handlers = 90'000;
  loop.handlers_sample = 80'000;

  auto const judged = judge(loop, spinning());

  EXPECT_EQ(judged.verdict, Verdict::flood);
  EXPECT_EQ(judged.level, Level::stalled);
}

TEST(JudgeLoop, FloodedBetweenTwoHandlersIsFloodedAllTheSame) {
  LoopFacts loop = stuck(2 * kS);
  loop.handler_since_ns = 0;
  loop.handlers = 90'000;
  loop.handlers_sample = 80'000;

  EXPECT_EQ(judge(loop, spinning()).verdict, Verdict::flood);
}

TEST(JudgeLoop, ThatLeftRunUnaskedIsAStallAtOnce) {
  LoopFacts const loop{.left_run = true, .left_ns = kNow - 1 * kMs};

  auto const judged = judge(loop, thread('S', 0, 0, SYS_futex));

  EXPECT_EQ(judged.verdict, Verdict::left_loop);
  EXPECT_EQ(judged.level, Level::stalled);
}

TEST(JudgeLoop, MayLeaveRunAndEndItsBeatWhenAskedToStop) {
  LoopFacts left{.left_run = true, .stopping = true, .left_ns = kNow - 60 * kS};
  LoopFacts draining = stuck(60 * kS);
  draining.stopping = true;
  draining.handler_since_ns = 0;

  EXPECT_EQ(judge(left, waiting_for_events()).level, Level::fine);
  EXPECT_EQ(judge(draining, waiting_for_events()).level, Level::fine);
}

TEST(JudgeLoop, WithoutAFirstBeatIsLateSinceItRuns) {
  LoopFacts loop = stuck(0);
  loop.beats = 0;
  loop.beat_due_ns = 0;
  loop.handler_since_ns = 0;
  loop.entered_ns = kNow - 3 * kS;

  EXPECT_EQ(judge(loop, waiting_for_events()).verdict, Verdict::lost_wakeup);
}

TEST(JudgeLoop, NotStartedIsNotJudged) {
  EXPECT_EQ(judge(LoopFacts{}, Threads{}).level, Level::fine);
}

TEST(JudgeLoop, GraceIsNoAge) {
  ThreadGrace grace;
  grace.add(kNow - 40 * kS, kNow - 1 * kS, 0, 39 * kS);

  EXPECT_EQ(judge(stuck(40 * kS), spinning(), grace).level, Level::stalled);
  EXPECT_EQ(judge(stuck(40 * kS), spinning(), grace).age_ns, 1 * kS);
}

TEST(JudgeLoop, TimeInWhichNothingOfTheProcessRanIsGraceWithoutBound) {
  ThreadGrace grace;
  grace.add(kNow - 3'600 * kS, kNow - 1 * kS, 3'599 * kS, 3'599 * kS);

  auto const judged = judge(stuck(3'600 * kS), thread('S', 0, 0, SYS_read), grace);

  EXPECT_EQ(judged.age_ns, 1 * kS);
  EXPECT_FALSE(judged.overdrawn);
}

// `withheld` of the `age` for which its handler has run were withheld from its thread alone.
Incident after_withholding(std::int64_t age, std::int64_t withheld, Threads const& threads) {
  ThreadGrace grace;
  grace.add(kNow - withheld, kNow, 0, withheld);
  return judge(stuck(age), threads, grace);
}

TEST(JudgeLoop, WhatIsWithheldFromItAloneIsGraceWithinABound) {
  auto const starved = thread('R', 0, 0);
  auto const within = after_withholding(50 * kS, 50 * kS, starved);
  EXPECT_EQ(within.level, Level::fine);

  auto const beyond = after_withholding(61 * kS, 61 * kS, starved);
  EXPECT_EQ(beyond.level, Level::hung) << "five times ten seconds are grace";
  EXPECT_EQ(beyond.verdict, Verdict::starved);
  EXPECT_TRUE(beyond.overdrawn);

  EXPECT_EQ(after_withholding(179 * kS, 179 * kS, starved).level, Level::hung);
  EXPECT_EQ(after_withholding(180 * kS, 180 * kS, starved).level, Level::dead);
}

TEST(JudgeLoop, CpuTimeInsideOneHandlerHasNoGrace) {
  ThreadGrace grace;
  grace.add(kNow - 45 * kS, kNow, 0, 44 * kS);
  LoopFacts loop = stuck(45 * kS);
  loop.handler_cpu_ns = 1'100 * kMs;

  auto const judged = judge(loop, thread('R', 5 * kMs, 240 * kMs), grace);

  EXPECT_EQ(judged.level, Level::stalled);
  EXPECT_EQ(judged.verdict, Verdict::cpu_loop);
  loop.handler_cpu_ns = 30 * kS;
  EXPECT_EQ(judge(loop, thread('R', 5 * kMs, 240 * kMs), grace).level, Level::dead);
}

TEST(JudgeLoop, ThatComputesWheneverItIsLetIsNoVictimForEver) {
  ThreadGrace grace;
  grace.add(kNow - 60 * kS, kNow, 0, 59 * kS);
  LoopFacts loop = stuck(60 * kS);
  loop.handler_cpu_ns = 200 * kMs;

  auto const judged = judge(loop, thread('R', 5 * kMs, 240 * kMs), grace);

  EXPECT_EQ(judged.verdict, Verdict::cpu_loop);
  EXPECT_TRUE(judged.overdrawn);
}

TEST(JudgeLoop, OfWhichNothingIsKnownIsUnknown) {
  EXPECT_EQ(judge(stuck(2 * kS), Threads{}).verdict, Verdict::unknown);
}

TEST(JudgeLoop, UnderADebuggerIsToldButNotKilledForAsLongAsAnyGraceLasts) {
  Threads threads = spinning();
  threads.now.traced = true;

  auto const judged = judge(stuck(59 * kS), threads);

  EXPECT_EQ(judged.level, Level::stalled);
  EXPECT_EQ(judged.verdict, Verdict::cpu_loop);
  EXPECT_EQ(judge(stuck(60 * kS), threads).level, Level::hung);
  EXPECT_EQ(judge(stuck(180 * kS), threads).level, Level::dead);
}

TEST(VerdictKey, WithoutProcACpuClockTellsOfALoopAndOfNothingElse) {
  auto const of_clock = [](std::int64_t ran) {
    ThreadSample const before{.at_ns = kNow - 250 * kMs, .cpu_ns = 5 * kS};
    return thread_verdict(before, ThreadSample{.at_ns = kNow, .cpu_ns = 5 * kS + ran});
  };
  EXPECT_EQ(of_clock(240 * kMs), Verdict::cpu_loop);
  EXPECT_EQ(of_clock(1 * kMs), Verdict::none);
}

TEST(VerdictKey, WithoutAnyCpuClockARunningThreadIsNotCalledStarved) {
  Threads threads = thread('R', 0);
  threads.before.timed = threads.now.timed = false;
  std::int64_t ahead = 0;

  EXPECT_EQ(thread_verdict(threads.before, threads.now), Verdict::none);
  EXPECT_EQ(withheld(threads.before, threads.now, ahead), 0);
}

TEST(Standing, IsTheWallClocksTruthWhosesoeverFaultItIs) {
  LoopFacts loop = stuck(40 * kS);
  EXPECT_EQ(standing_since(loop, kNow), kNow - 40 * kS);
  loop.handler_since_ns = 0;
  EXPECT_EQ(standing_since(loop, kNow), loop.beat_due_ns);
  loop.beat_due_ns = kNow + 50 * kMs;
  EXPECT_EQ(standing_since(loop, kNow), 0);
  EXPECT_EQ(standing_since({.left_run = true, .left_ns = kNow - kS}, kNow), kNow - kS);
  loop = stuck(40 * kS);
  loop.stopping = true;
  EXPECT_EQ(standing_since(loop, kNow), 0) << "it may end";
}

TEST(Standing, IsToldALittleBeforeItWouldCountAsHung) {
  EXPECT_FALSE(stands_long(0, {}, kNow));
  EXPECT_FALSE(stands_long(kNow - 7 * kS, {}, kNow));
  EXPECT_TRUE(stands_long(kNow - 8 * kS, {}, kNow));
}

TEST(JudgeLoop, NegativeAgesAreNone) {
  LoopFacts loop = stuck(0);
  loop.handler_since_ns = kNow + 5 * kMs;  // the coarse clock of another CPU

  EXPECT_EQ(judge(loop, spinning()).level, Level::fine);
}

TEST(Withheld, IsTheWaitForACpu) {
  std::int64_t ahead = 0;
  Threads const threads = thread('S', 10 * kMs, 100 * kMs);

  EXPECT_EQ(withheld(threads.before, threads.now, ahead), 100 * kMs);
}

TEST(Withheld, CountsAWaitBeforeTheKernelDoesAndOnlyOnce) {
  std::int64_t ahead = 0;
  Threads const waits = thread('R', 0);

  EXPECT_EQ(withheld(waits.before, waits.now, ahead), 250 * kMs);
  EXPECT_EQ(ahead, 250 * kMs);
  Threads const got_one = thread('S', 1 * kMs, 300 * kMs);
  EXPECT_EQ(withheld(got_one.before, got_one.now, ahead), 50 * kMs);
  EXPECT_EQ(ahead, 0);
}

TEST(Withheld, IsNothingForOneThatComputesOrSleeps) {
  std::int64_t ahead = 0;
  Threads const sleeps = thread('S', 0, 0, SYS_read);

  EXPECT_EQ(withheld(spinning().before, spinning().now, ahead), 0);
  EXPECT_EQ(withheld(sleeps.before, sleeps.now, ahead), 0);
}

TEST(Withheld, IsAllOfTheTimeInADebugger) {
  std::int64_t ahead = 0;
  Threads const held = thread('t', 0);

  EXPECT_EQ(withheld(held.before, held.now, ahead), 250 * kMs);
}

TEST(WaitsForALock, WhileItSleepsInAFutex) {
  EXPECT_TRUE(waits_for_lock(thread('S', 0, 0, SYS_futex).now));
  EXPECT_FALSE(waits_for_lock(thread('S', 0, 0, SYS_read).now));
  EXPECT_FALSE(waits_for_lock(thread('R', 0, 0, SYS_futex).now));
  EXPECT_FALSE(waits_for_lock(ThreadSample{}));
}

// Its holder is runnable, and gets no processor all the time.
TEST(JudgeLoop, ThatWaitsForTheLockOfAStarvedThreadIsNoStall) {
  Threads const loop = thread('S', 0, 0, SYS_futex);
  Threads const holder = thread('R', 1 * kMs);
  std::int64_t ahead = 0;
  ThreadGrace grace;
  for (std::int64_t tick = 1; tick <= 8; ++tick) {
    std::int64_t const from = kNow - 2 * kS + (tick - 1) * 250 * kMs;
    grace.add(from, from + 250 * kMs, 0, withheld(holder.before, holder.now, ahead));
  }

  EXPECT_EQ(judge(stuck(2 * kS), loop, grace).level, Level::fine);
  EXPECT_EQ(judge(stuck(2 * kS), loop).verdict, Verdict::lock);
}

TEST(Grace, CountOnlyWhatLiesInBetween) {
  Grace grace;
  grace.add(100, 200, 50);

  EXPECT_EQ(grace.within(0, 1'000), 50);
  EXPECT_EQ(grace.within(150, 1'000), 25);
  EXPECT_EQ(grace.within(200, 1'000), 0);
  EXPECT_EQ(grace.age(50, 1'000), 900);
}

TEST(Grace, ForgetNothingInALongTroubledTime) {
  Grace grace;
  for (std::int64_t i = 0; i < 10'000; ++i) grace.add(i * 100, i * 100 + 100, 40);

  EXPECT_NEAR(static_cast<double>(grace.within(0, 1'000'000)), 400'000, 20'000);
  EXPECT_NEAR(static_cast<double>(grace.within(500'000, 1'000'000)), 200'000, 20'000);
}

}  // namespace
}  // namespace canary::watchdog

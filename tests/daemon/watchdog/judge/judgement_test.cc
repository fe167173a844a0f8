// SPDX-License-Identifier: Apache-2.0
// Who is accused of what, row by row of the catalogue of hangs; and who is not.
#include "daemon/watchdog/judge/judgement.h"

#include <sys/syscall.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kS = 1'000 * kMs;
constexpr std::int64_t kNow = 1'000 * kS;

struct Threads {
  ThreadSample before, now;
};

// Two samples 250 ms apart: state, on a CPU for so long in between, waited for one for so long.
Threads thread(char state, std::int64_t ran, std::int64_t delayed = 0, std::int64_t call = -1) {
  ThreadSample before{.known = true,
                      .state = state,
                      .system_call = call,
                      .at_ns = kNow - 250 * kMs,
                      .cpu_ns = 5 * kS,
                      .delay_ns = 1 * kS};
  ThreadSample now = before;
  now.at_ns = kNow;
  now.cpu_ns += ran;
  now.delay_ns += delayed;
  return {before, now};
}

Threads spinning() { return thread('R', 240 * kMs); }
Threads waiting_for_events() { return thread('S', 0, 0, SYS_epoll_wait); }

// A loop whose handler began `age` ago, the beat overdue since then.
LoopFacts stuck(std::int64_t age) {
  return {.in_run = true,
          .entered_ns = 1,
          .handlers = 70,
          .handlers_before = 70,
          .handlers_sample = 70,
          .beats = 9,
          .handler_since_ns = kNow - age,
          .beat_due_ns = kNow - age + 90 * kMs};
}

Incident judge(LoopFacts const& loop, Threads const& threads, ThreadGrace const& grace = {}) {
  return judge_loop(loop, threads.before, threads.now, Limits{}, grace, kNow);
}

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

RunFacts run(std::int64_t started, std::int64_t moved) {
  return {.started_ns = kNow - started, .deadline_ns = kNow + 60 * kS, .progress_ns = kNow - moved};
}

Incident judge(RunFacts const& facts, Grace const& grace = {}) {
  return judge_run(facts, Limits{}, grace, kNow);
}

TEST(JudgeRun, ThatMovesIsHealthyAtAnyLength) {
  RunFacts facts = run(3'600 * kS, 1 * kS);
  facts.deadline_ns = INT64_MAX;

  EXPECT_EQ(judge(facts).level, Level::fine);
}

TEST(JudgeRun, WithoutProgressIsSuspectThenStalled) {
  EXPECT_EQ(judge(run(29 * kS, 29 * kS)).level, Level::fine);
  EXPECT_EQ(judge(run(30 * kS, 30 * kS)).level, Level::suspect);
  EXPECT_EQ(judge(run(60 * kS, 60 * kS)).level, Level::stalled);
  EXPECT_EQ(judge(run(60 * kS, 60 * kS)).verdict, Verdict::stalled_run);
}

TEST(JudgeRun, ThatNothingCanWakeIsAnOrphan) {
  RunFacts facts = run(61 * kS, 61 * kS);
  facts.orphan = true;

  EXPECT_EQ(judge(facts).verdict, Verdict::orphan_await);
}

TEST(JudgeRun, CancelledGetsItsTimeToUnwind) {
  RunFacts facts = run(10 * kS, 1 * kS);
  facts.cancelling = true;
  facts.cancelling_ns = kNow - 4 * kS;
  EXPECT_EQ(judge(facts).level, Level::fine);

  facts.cancelling_ns = kNow - 5 * kS;
  EXPECT_EQ(judge(facts).level, Level::hung);
}

TEST(JudgeRun, PastItsDeadlineIsHungOnceTheTimeToUnwindIsOver) {
  RunFacts facts = run(100 * kS, 1 * kS);
  facts.deadline_ns = kNow - 4 * kS;
  EXPECT_EQ(judge(facts).level, Level::fine);

  facts.deadline_ns = kNow - 6 * kS;
  EXPECT_EQ(judge(facts).level, Level::hung);
  EXPECT_EQ(judge(facts).since_ns, kNow - 6 * kS);
}

TEST(JudgeRun, AskedToEndStaysAStallUntilItHas) {
  RunFacts facts = run(61 * kS, 1 * kS);
  facts.asked = true;
  facts.cancelling = true;
  facts.cancelling_ns = kNow - 1 * kS;

  EXPECT_EQ(judge(facts).level, Level::stalled);
}

TEST(JudgeRun, WhoseWishToEndNobodyHeardIsHung) {
  RunFacts facts = run(66 * kS, 66 * kS);
  facts.asked = true;

  EXPECT_EQ(judge(facts).level, Level::hung);
}

TEST(JudgeRun, WhoseHandlerRunsIsTheLoopsAffair) {
  RunFacts facts = run(300 * kS, 300 * kS);
  facts.in_handler = true;

  EXPECT_EQ(judge(facts).level, Level::fine);
}

TEST(JudgeRun, IsNotAccusedOfATimeInWhichTheLoopDidNotTurn) {
  Grace grace;
  grace.add(kNow - 100 * kS, kNow, 100 * kS);
  RunFacts facts = run(110 * kS, 110 * kS);
  facts.deadline_ns = kNow - 90 * kS;

  EXPECT_EQ(judge(facts, grace).level, Level::fine);
}

TEST(JudgeLookup, LongerThanConfiguredIsTheResolversStall) {
  Limits limits;
  limits.resolve = 5 * kS;

  EXPECT_EQ(judge_lookup(kNow - 9 * kS, false, limits, {}, kNow).level, Level::fine);
  auto const judged = judge_lookup(kNow - 10 * kS, true, limits, {}, kNow);
  EXPECT_EQ(judged.level, Level::stalled);
  EXPECT_EQ(judged.subject, Subject::resolver);
  EXPECT_EQ(judged.verdict, Verdict::orphan_await);
}

TEST(JudgeScheduler, ThatLetsADueRunPassIsOverdue) {
  SchedulerFacts const promised{.next_due_ns = kNow - 11 * kS, .last_pass_ns = kNow - 20 * kS};
  SchedulerFacts const kept{.next_due_ns = kNow - 11 * kS, .last_pass_ns = kNow - 10 * kS};
  SchedulerFacts const nothing{.next_due_ns = INT64_MAX, .last_pass_ns = kNow - 900 * kS};

  EXPECT_EQ(judge_scheduler(promised, {}, {}, kNow).level, Level::stalled);
  EXPECT_EQ(judge_scheduler(promised, {}, {}, kNow).verdict, Verdict::overdue);
  EXPECT_EQ(judge_scheduler(kept, {}, {}, kNow).level, Level::fine);
  EXPECT_EQ(judge_scheduler(nothing, {}, {}, kNow).level, Level::fine);
}

TEST(JudgeJob, OfTheDiskThatDoesNotEndIsADeadDisk) {
  auto const dead = thread('D', 0);

  JobFacts const job{
      .pool = Subject::disk, .since_ns = kNow - 31 * kS, .limit_ns = limit_of(Subject::disk, {})};
  auto const judged = judge_job(job, dead.before, dead.now, {}, kNow);

  EXPECT_EQ(judged.level, Level::stalled);
  EXPECT_EQ(judged.verdict, Verdict::disk);
}

TEST(JudgeJob, OfAWorkerHasItsOwnLimitAndIdleIsFine) {
  auto const busy = spinning();
  auto const since = [&](std::int64_t ns) {
    return judge_job({.since_ns = ns, .limit_ns = limit_of(Subject::cpu, {})}, busy.before,
                     busy.now, {}, kNow);
  };
  EXPECT_EQ(since(kNow - 16 * kS).level, Level::suspect);
  EXPECT_EQ(since(kNow - 31 * kS).verdict, Verdict::cpu_loop);
  EXPECT_EQ(since(0).level, Level::fine);
}

TEST(JudgeJob, ThatWasStarvedHasGraceWithinABoundAndNotForWhatItComputed) {
  auto const starved = thread('R', 5 * kMs, 240 * kMs);
  auto const after = [&](std::int64_t age, std::int64_t withheld, std::int64_t cpu) {
    return judge_job({.pool = Subject::disk,
                      .since_ns = kNow - age,
                      .limit_ns = 30 * kS,
                      .withheld_ns = withheld,
                      .cpu_ns = cpu},
                     starved.before, starved.now, {}, kNow);
  };
  EXPECT_EQ(after(100 * kS, 99 * kS, 1 * kS).level, Level::fine);
  EXPECT_EQ(after(200 * kS, 199 * kS, 1 * kS).level, Level::stalled);
  EXPECT_TRUE(after(200 * kS, 199 * kS, 1 * kS).overdrawn);
  EXPECT_EQ(after(140 * kS, 105 * kS, 31 * kS).level, Level::stalled);
  EXPECT_EQ(after(140 * kS, 110 * kS, 31 * kS).verdict, Verdict::cpu_loop);
}

TEST(JudgeJob, OfAThreadThatDoesNotComeRoundIsToldWithinTenSeconds) {
  EXPECT_EQ(round_limit({}), 8 * kS);
  EXPECT_EQ(round_limit({.server_stall = 60 * kS}), 8 * kS);
  EXPECT_EQ(round_limit({.server_stall = 1 * kS}), 3 * kS) << "it says so once a second";
}

TEST(JudgeQueue, ThatWaitsForBusyThreadsIsAnExhaustedPool) {
  QueueFacts const full{.threads = 2, .busy = 2, .oldest_queued_ns = kNow - 61 * kS};
  QueueFacts const ignored{.threads = 2, .busy = 1, .oldest_queued_ns = kNow - 61 * kS};
  QueueFacts const empty{.threads = 2, .busy = 2};

  EXPECT_EQ(judge_queue(Subject::cpu, full, {}, {}, kNow).verdict, Verdict::pool_exhausted);
  EXPECT_EQ(judge_queue(Subject::cpu, ignored, {}, {}, kNow).verdict, Verdict::lost_wakeup);
  EXPECT_EQ(judge_queue(Subject::cpu, empty, {}, {}, kNow).level, Level::fine);
}

TEST(JudgeServer, ThatDoesNotAnswerInTime) {
  EXPECT_EQ(judge_server(0, {}, {}, kNow).level, Level::fine);
  EXPECT_EQ(judge_server(kNow - 4 * kS, {}, {}, kNow).level, Level::fine);
  EXPECT_EQ(judge_server(kNow - 10 * kS, {}, {}, kNow).level, Level::stalled);
  EXPECT_EQ(judge_server(kNow - 10 * kS, {}, {}, kNow).verdict, Verdict::no_answer);
}

TEST(ServerNeedsHelp, BeforeItIsCalledStalledAndSoonerWhereSomethingIsAmiss) {
  EXPECT_FALSE(server_needs_help(0, true, {}, {}, kNow)) << "nothing is asked";
  EXPECT_FALSE(server_needs_help(kNow - 4'900 * kMs, false, {}, {}, kNow));
  EXPECT_TRUE(server_needs_help(kNow - 5 * kS, false, {}, {}, kNow));
  EXPECT_FALSE(server_needs_help(kNow - 900 * kMs, true, {}, {}, kNow));
  EXPECT_TRUE(server_needs_help(kNow - 1 * kS, true, {}, {}, kNow));
  EXPECT_TRUE(server_needs_help(kNow - 100 * kMs, true, {.server_stall = 200 * kMs}, {}, kNow));
}

TEST(ServerNeedsHelp, NotForTimeThatIsNobodysFault) {
  ThreadGrace slept;
  slept.add(kNow - 60 * kS, kNow - 1 * kS, 59 * kS, 59 * kS);
  EXPECT_FALSE(server_needs_help(kNow - 60 * kS, false, {}, slept, kNow));
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

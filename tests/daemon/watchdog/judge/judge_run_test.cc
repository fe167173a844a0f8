// SPDX-License-Identifier: Apache-2.0
// Who is accused besides the loop: runs, lookups, the scheduler, jobs, queues, the HTTP server.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/watchdog/judge/loop_facts.h"

namespace canary::watchdog {
namespace {

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

}  // namespace
}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// The loop and the threads beside it as the tables and /proc tell of them: tables that the test
// writes, and threads of its own.
#include <unistd.h>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "daemon/watchdog/sample/loop_sampler.h"
#include "daemon/watchdog/sample/thread_sampler.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;

class Samplers : public testing::Test {
 protected:
  LoopSampler::Look look(bool stopping = false) {
    at.previous_ns = at.now_ns;
    at.now_ns = runtime::now_ns();
    return loop.look(tables, threads, limits, stopping, true, at);
  }
  // A thread's row, at a job since `since_ns`.
  void row(std::size_t place, runtime::ThreadRecord::Kind kind, std::int32_t thread) {
    auto& row = tables.threads()[place];
    row.kind.store(kind);
    row.thread.store(thread);
  }

  runtime::Tables tables{runtime::TableSizes{.runs = 4, .operations = 16}};
  Limits limits;
  Moment at;
  LoopSampler loop;
  ThreadSampler threads;
};

TEST_F(Samplers, ALoopThatNobodyStartedHasNoThreadToSample) {
  auto const seen = look();

  EXPECT_FALSE(seen.sampled);
  EXPECT_FALSE(seen.late);
  EXPECT_FALSE(seen.facts.in_run);
}

TEST_F(Samplers, SinceWhenTheLoopRunsIsRemembered) {
  tables.loop().state.store(runtime::LoopRecord::in_run);
  tables.loop().thread.store(::gettid());
  auto const first = look();
  auto const second = look();

  EXPECT_TRUE(second.sampled);
  EXPECT_EQ(second.facts.entered_ns, first.facts.entered_ns);
  EXPECT_NE(second.facts.entered_ns, 0);
}

TEST_F(Samplers, ALongHandlerMakesTheLoopLateAndItsCpuTimeCounts) {
  tables.loop().state.store(runtime::LoopRecord::in_run);
  tables.loop().thread.store(::gettid());
  tables.loop().beats.store(1);
  tables.loop().handler_since_ns.store(runtime::now_ns() - kS);
  auto const first = look();
  while (cpu_clock_ns(::gettid()) < first.newest.cpu_ns + 5'000'000) {
  }
  auto const second = look();

  EXPECT_TRUE(first.late);
  EXPECT_EQ(first.facts.handler_cpu_ns, 0) << "it was seen for the first time";
  EXPECT_GT(second.facts.handler_cpu_ns, 0);
}

TEST_F(Samplers, HandlersBeforeTheLoopWasLateAreRemembered) {
  tables.loop().state.store(runtime::LoopRecord::in_run);
  tables.loop().thread.store(::gettid());
  tables.loop().handlers.store(40);
  look();
  tables.loop().handler_since_ns.store(runtime::now_ns() - kS);
  tables.loop().handlers.store(41);

  EXPECT_EQ(look().facts.handlers_before, 40u);
}

TEST_F(Samplers, AShortJobIsNotSampled) {
  std::int64_t const now = runtime::now_ns();
  JobFacts const job{.pool = Subject::cpu, .since_ns = now - kS / 2, .limit_ns = 30 * kS};

  EXPECT_FALSE(threads.look(::gettid(), job, {}, now).due);
  EXPECT_TRUE(threads.look(::gettid(), job, {}, now + kS).due);
}

TEST_F(Samplers, TwoLooksAtALongJobAreCompared) {
  std::int64_t const now = runtime::now_ns();
  JobFacts const job{.pool = Subject::cpu, .since_ns = now - 10 * kS, .limit_ns = 30 * kS};
  auto const first = threads.look(::gettid(), job, {}, now);
  auto const second = threads.look(::gettid(), job, {}, now + kS);

  EXPECT_FALSE(first.before.known);
  EXPECT_TRUE(second.before.known);
  EXPECT_EQ(second.newest.at_ns - second.before.at_ns, kS);
}

TEST_F(Samplers, FilesOfThreadsThatNobodyLooksAtAreClosed) {
  std::int64_t const now = runtime::now_ns();
  JobFacts const job{.pool = Subject::cpu, .since_ns = now - 10 * kS, .limit_ns = 30 * kS};
  threads.look(::gettid(), job, {}, now);
  threads.begin_round();
  threads.end_round();

  // What was known of it went with them.
  EXPECT_FALSE(threads.look(::gettid(), job, {}, now + kS).before.known);
}

TEST_F(Samplers, NothingIsWithheldBeforeTheSecondLook) {
  row(0, runtime::ThreadRecord::cpu, ::gettid());
  std::int64_t const now = runtime::now_ns();

  EXPECT_EQ(threads.withheld_from(tables, is_pool, now - kS, now), 0);
}

TEST_F(Samplers, ALiveThreadIsNoZombie) {
  EXPECT_FALSE(threads.is_zombie(::gettid(), runtime::now_ns()));
}

}  // namespace
}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
#include "runtime/thread_pool.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <future>
#include <latch>
#include <memory>
#include <vector>

#include <gmock/gmock.h>

#include "runtime/workers.h"
#include "tests/runtime/running_loop.h"
#include "tests/support/sanitizer.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// As something from outside ends a thread: nothing is unwound, nothing is told. A sanitizer that
// follows threads takes that for a fault of its own.
constexpr bool kCanEndThreads = !support::kAddressSanitizer && !support::kThreadSanitizer;

[[noreturn]] int end_this_thread() {
  while (true) ::syscall(SYS_exit, 0);
}

Task<int> given(Workers& workers, int (*work)()) {
  co_return co_await workers.run({}, "test.job", work);
}

int seven() { return 7; }

// Threads of that name that the watchdog is to look at.
std::size_t rows_called(std::string const& name) {
  std::size_t count = 0;
  for (auto& row : tables()->threads()) {
    bool const used = row.kind.load() != ThreadRecord::unused;
    if (used && row.name.load() == name) ++count;
  }
  return count;
}

TEST(ThreadPool, NoticesAThreadThatEndedInAJobAndReplacesIt) {
  if (!kCanEndThreads) GTEST_SKIP() << "a sanitizer follows threads to their end";
  RunningLoop running;
  Workers workers{"test", 1};
  std::vector<PoolTrouble> troubles;
  workers.set_told([&troubles](PoolTrouble const& trouble) { troubles.push_back(trouble); });
  EXPECT_THROW(running.block_on(given(workers, end_this_thread)), JobLost);
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_EQ(troubles[0].kind, PoolTrouble::Kind::ended);
  EXPECT_EQ(troubles[0].thread, "test");
  EXPECT_EQ(troubles[0].job, "test.job");
  EXPECT_EQ(running.block_on(given(workers, seven)), 7);
  EXPECT_EQ(rows_called("test"), 1U) << "the one that ended is missed no longer";
}

TEST(ThreadPool, NoticesAThreadThatAJobEnds) {
  RunningLoop running;
  Workers workers{"test", 1};
  auto const leaves = []() -> int { ::pthread_exit(nullptr); };
  EXPECT_THROW(running.block_on(given(workers, leaves)), JobLost);
  EXPECT_EQ(running.block_on(given(workers, seven)), 7);
}

TEST(ThreadPool, TakesWhatIsNoExceptionOfTheLibraryAsAFailedJob) {
  RunningLoop running;
  Workers workers{"test", 1};
  auto const throws = []() -> int { throw 7; };
  EXPECT_THROW(running.block_on(given(workers, throws)), std::runtime_error);
  EXPECT_EQ(running.block_on(given(workers, seven)), 7);
}

// Two jobs, each of which ends its thread once the other is there; how many were told as lost.
Task<int> lost_of_two(Workers& workers) {
  auto const both = std::make_shared<std::latch>(2);
  auto const end_together = [both]() -> int {
    both->arrive_and_wait();
    end_this_thread();
  };
  auto const executor = co_await asio::this_coro::executor;
  std::vector<Job<int>> jobs;
  for (int i = 0; i < 2; ++i) jobs.push_back(workers.start(executor, end_together, "test.end"));
  int lost = 0;
  for (auto& job : jobs) {
    try {
      co_await job.result({}, "test.wait");
    } catch (JobLost const&) {
      ++lost;
    }
  }
  co_return lost;
}

TEST(ThreadPool, ReplacesAllThreadsThatEndAtOnce) {
  if (!kCanEndThreads) GTEST_SKIP() << "a sanitizer follows threads to their end";
  RunningLoop running;
  Workers workers{"test", 2};
  EXPECT_EQ(running.block_on(lost_of_two(workers)), 2);
  EXPECT_EQ(running.block_on(given(workers, seven)), 7);
}

void loses_a_thread_twice() {
  RunningLoop running;
  Workers workers("test", 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THROW(running.block_on(given(workers, end_this_thread)), JobLost);
  }
}

TEST(ThreadPoolDeathTest, EndsTheProcessWhereAReplacedThreadEndsAgain) {
  if (!kCanEndThreads) GTEST_SKIP() << "a sanitizer follows threads to their end";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(loses_a_thread_twice(),
               "a thread that was replaced does not end again within a minute");
}

TEST(ThreadPool, TellsWhatIsAtWork) {
  RunningLoop running;
  Workers workers{"test", 1};
  EXPECT_FALSE(workers.longest());
  std::promise<void> begun, release;
  auto const job = workers.start(
      running.executor(),
      [&begun, released = release.get_future().share()] {
        begun.set_value();
        released.wait();
        return 1;
      },
      "test.long");
  begun.get_future().wait();
  auto const longest = workers.longest();
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest->job, "test.long");
  EXPECT_THAT(sentence(*longest), HasSubstr("in test.long for 0."));
  release.set_value();
}

// A thread may be in a system call that never returns, and the process has to end all the same.
TEST(ThreadPool, EndsAlthoughAJobDoesNot) {
  RunningLoop running;
  auto const release = std::make_shared<std::promise<void>>();
  std::promise<void> begun;
  auto pool = ThreadPool::start({.name = "test"});
  pool->put(
      {.name = "test.stuck", .run = [&begun, release, released = release->get_future().share()] {
         begun.set_value();
         released.wait();
         return ThreadPool::OnLoop{};
       }});
  begun.get_future().wait();
  EXPECT_FALSE(pool->stop(1ms));
  release->set_value();
}

// Jobs that wait for each other: each has a thread at once, and one of them is there when all are
// done.
TEST(ThreadPool, HasAsManyThreadsAsJobsNeed) {
  RunningLoop running;
  Workers workers{PoolSettings{.name = "test", .threads = 3, .as_needed = true}};
  EXPECT_EQ(running.block_on(given(workers, seven)), 7);
  // Two where the job was there before the first thread was.
  EXPECT_LE(rows_called("test"), 2U) << "more than one job needs";
  std::latch all{3};
  auto const meet = [&all] {
    all.arrive_and_wait();
    return 1;
  };
  std::vector<Workers::Job<int>> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(workers.start(running.executor(), meet));
  all.wait();  // a test that waits for ever is ended by ctest
  EXPECT_EQ(rows_called("test"), 3U);
}

TEST(ThreadPool, RunsJobsOfOneKeyInTheirOrder) {
  RunningLoop running;
  Workers workers{"test", 3};
  auto ours = workers.in_order("ours"), again = workers.in_order("ours"),
       others = workers.in_order("others");
  std::promise<void> release;
  auto const held = [released = release.get_future().share()] {
    released.wait();
    return 0;
  };
  std::vector<int> order;
  auto const note = [&order](int number) {
    return [&order, number] {
      order.push_back(number);  // one at a time: no lock
      return number;
    };
  };
  auto const first = ours.start(running.executor(), held);
  auto const second = again.start(running.executor(), note(2));
  ours.retire(std::shared_ptr<void>{nullptr, [&order](void*) { order.push_back(3); }});
  auto last = ours.start(running.executor(), note(4));
  EXPECT_EQ(running.block_on(others.run({}, "test.job", seven)), 7) << "waits for nobody";
  EXPECT_TRUE(order.empty());
  release.set_value();
  EXPECT_EQ(running.block_on(last.result({}, "test.last")), 4);
  EXPECT_THAT(order, testing::ElementsAre(2, 3, 4));
}

TEST(ThreadPool, EndsAtOnceWhereNothingIsAtWork) {
  auto const pool = ThreadPool::start({.name = "test", .threads = 3});
  EXPECT_TRUE(pool->stop(60s));
}

}  // namespace
}  // namespace canary::runtime

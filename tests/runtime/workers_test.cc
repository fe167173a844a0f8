// SPDX-License-Identifier: Apache-2.0
#include "runtime/workers.h"

#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>

#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;

Task<bool> ran_elsewhere(Workers& workers) {
  auto job = [] { return std::this_thread::get_id(); };
  auto const there = co_await workers.run({}, "test.job", job);
  co_return there != std::this_thread::get_id();
}

TEST(Workers, RunJobsOffTheLoop) {
  RunningLoop running;
  Workers workers{"test", 2};
  EXPECT_TRUE(running.block_on(ran_elsewhere(workers)));
}

Task<int> throwing(Workers& workers) {
  auto job = []() -> int { throw std::runtime_error("bad disk"); };
  co_return co_await workers.run({}, "test.job", job);
}

TEST(Workers, PassOnWhatAJobThrew) {
  RunningLoop running;
  Workers workers{"test", 1};
  EXPECT_THROW(running.block_on(throwing(workers)), std::runtime_error);
}

// Says, when its last copy goes, whether that waited in vain for `next`.
struct SlowToGo {
  std::promise<bool>& going;
  std::shared_future<void> next;
  ~SlowToGo() { going.set_value(next.wait_for(5s) == std::future_status::ready); }
};

Task<int> queued_while_a_job_goes(Workers& workers, std::promise<bool>& going) {
  auto const executor = co_await asio::this_coro::executor;
  std::promise<void> next;
  auto slow = std::make_shared<SlowToGo>(going, next.get_future().share());
  auto first = workers.start(executor, [slow = std::move(slow)]() mutable { return 1; });
  int const a = co_await first.result({}, "test.first");
  auto second = workers.start(executor, [] { return 2; });
  next.set_value();
  co_return a * 10 + co_await second.result({}, "test.second");
}

// What a job owned may take long to go (a file to close): nobody waits for that.
TEST(Workers, LetJobsBeQueuedWhileOneIsDestroyed) {
  RunningLoop running;
  Workers workers{"test", 1};
  std::promise<bool> going;
  auto went = going.get_future();

  EXPECT_EQ(running.block_on(queued_while_a_job_goes(workers, going)), 12);
  EXPECT_TRUE(went.get());
}

Task<int> overlapped(Workers& workers) {
  auto const executor = co_await asio::this_coro::executor;
  auto first = workers.start(executor, [owned = std::make_unique<int>(1)] { return *owned; });
  auto second = workers.start(executor, [] { return 2; });
  int const b = co_await second.result({}, "test.second");
  int const a = co_await first.result({}, "test.first");
  co_return a * 10 + b;
}

TEST(Workers, LetAJobBeWaitedForLater) {
  RunningLoop running;
  Workers workers{"test", 2};
  EXPECT_EQ(running.block_on(overlapped(workers)), 12);
}

Task<int> stuck_job(Workers& workers, std::shared_future<void> release) {
  auto job = [release] {
    release.wait();
    return 1;
  };
  co_return co_await workers.run({}, "test.stuck", job);
}

Task<int> owning_job(Workers& workers, std::shared_ptr<int> owned,
                     std::shared_future<void> release) {
  auto job = [owned = std::move(owned), release = std::move(release)] {
    release.wait();
    return *owned;
  };
  co_return co_await workers.run({}, "test.stuck", std::move(job));
}

TEST(Workers, LetACancelledCallerGoWhileTheJobStillRuns) {
  RunningLoop running;
  std::promise<void> release;
  Workers workers{"test", 1};
  auto work = within(Deadline::after(2ms), stuck_job(workers, release.get_future().share()), {});
  EXPECT_EQ(running.block_on(std::move(work)), std::nullopt);
  release.set_value();
}

// The way of runs whose disk stands still: each is cancelled and comes again.
TEST(Workers, HoldOnlyWhatSomebodyWaitsFor) {
  RunningLoop running;
  std::promise<void> release;
  auto const released = release.get_future().share();
  auto const owned = std::make_shared<int>(0);
  Workers workers{"test", 1};
  for (int i = 0; i < 20; ++i) {
    auto work = within(Deadline::after(2ms), owning_job(workers, owned, released), {});
    EXPECT_EQ(running.block_on(std::move(work)), std::nullopt);
  }
  EXPECT_EQ(workers.queued(), 0U);
  EXPECT_LE(owned.use_count(), 2) << "jobs that nobody waits for are kept";
  release.set_value();
}

Task<int> abandoned_then_another(Workers& workers, bool& ran, std::promise<void>& release) {
  auto const executor = co_await asio::this_coro::executor;
  auto first = workers.start(executor, [released = release.get_future().share()] {
    released.wait();
    return 1;
  });
  {
    auto const dropped = workers.start(executor, [&ran] { return ran = true; });
  }
  release.set_value();
  auto last = workers.start(executor, [] { return 3; });
  int const a = co_await first.result({}, "test.first");
  co_return a * 10 + co_await last.result({}, "test.last");
}

TEST(Workers, DoNotRunWhatWasGivenUpBeforeItBegan) {
  RunningLoop running;
  Workers workers{"test", 1};
  bool ran = false;
  std::promise<void> release;
  EXPECT_EQ(running.block_on(abandoned_then_another(workers, ran, release)), 13);
  EXPECT_FALSE(ran);
}

TEST(Workers, RetireWhatTheyAreGivenOnAThreadOfTheirs) {
  struct Large {
    std::promise<std::thread::id>& ended;
    ~Large() { ended.set_value(std::this_thread::get_id()); }
  };
  RunningLoop running;
  Workers workers{"test", 1};
  std::promise<std::thread::id> ended;
  workers.retire(std::make_unique<Large>(ended));
  EXPECT_NE(ended.get_future().get(), std::this_thread::get_id());
}

}  // namespace
}  // namespace canary::runtime

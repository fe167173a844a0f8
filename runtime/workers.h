// SPDX-License-Identifier: Apache-2.0
// A fixed number of threads for what must not run on the loop: the state directory and the CPU
// (hashing, metadata). A coroutine waits for a job's result without holding the loop. What may
// never return belongs on FileThreads. Thread: run() on the loop; jobs on their own threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "runtime/job.h"
#include "runtime/task.h"
#include "runtime/thread_pool.h"
#include "runtime/trace.h"

namespace canary::runtime {

// A way to threads that are Workers', which outlive whoever puts jobs by it.
class JobQueue {
 public:
  template <class T>
  using Job = runtime::Job<T>;

  // Queues `work` (called without arguments on one of the threads); `name` is what the thread's row
  // shows meanwhile. Thread: loop.
  template <class F>
  Job<std::invoke_result_t<F>> start(Executor executor, F work, StaticName name = "job") {
    ThreadPool::Work how{.name = name, .key = key_, .run = nullptr};
    return Job<std::invoke_result_t<F>>::start(*pool_, executor, std::move(how), std::move(work));
  }

  // start() and wait. Throws as Job::result() does.
  template <class F>
  Task<std::invoke_result_t<F>> run(Trace trace, StaticName name, F work,
                                    std::source_location where = std::source_location::current()) {
    auto job = start(co_await asio::this_coro::executor, std::move(work), name);
    co_return co_await job.result(trace, name, where);
  }

  // Runs `work`, whoever waits, and then `done` on the loop with its result; with nullopt where its
  // thread ended or it threw. Not at all once the threads have ended. Thread: loop.
  template <class F, class Done>
  void then(Executor executor, StaticName name, F work, Done done) {
    using T = std::invoke_result_t<F>;
    auto const told = std::make_shared<Done>(std::move(done));
    auto const owned = std::make_shared<F>(std::move(work));
    ThreadPool::Work how{.name = name, .key = key_, .run = nullptr, .executor = executor};
    how.lost = [told](std::exception_ptr) { return [told] { (*told)(std::optional<T>{}); }; };
    how.run = [told, owned]() -> ThreadPool::OnLoop {
      auto const value = std::make_shared<std::optional<T>>();
      try {
        value->emplace((*owned)());
      } catch (std::exception const&) {
        value->reset();
      }
      return [told, value] { (*told)(std::move(*value)); };
    };
    pool_->put(std::move(how));
  }

  // Destroys `value` on one of the threads: what was made from outside may be large, and then its
  // end would hold the loop. Thread: any.
  template <class T>
  void retire(T value) {
    pool_->put(
        {.name = "retire", .key = key_, .run = [owned = std::make_shared<T>(std::move(value))] {
           return ThreadPool::OnLoop{};
         }});
  }

 protected:
  JobQueue(std::shared_ptr<ThreadPool> pool, std::string key)
      : pool_(std::move(pool)), key_(std::move(key)) {}

  std::shared_ptr<ThreadPool> pool_;  // shared with jobs, which may outlive this

 private:
  friend class Workers;
  std::string key_;
};

// Jobs that are put here run in any order, as many at once as there are threads.
class Workers : public JobQueue {
 public:
  // `name` (at most 15 bytes) names the threads. Made after the Loop, so that its threads have rows
  // in the tables.
  Workers(std::string name, std::size_t threads, ThreadRecord::Kind kind = ThreadRecord::cpu)
      : Workers(PoolSettings{.name = std::move(name), .threads = threads, .kind = kind}) {}
  explicit Workers(PoolSettings settings)
      : JobQueue(ThreadPool::start(std::move(settings)), std::string{}) {}
  // Runs no further job, waits for those that run; one that goes on for longer than kEndWait is
  // left to itself.
  ~Workers() { pool_->stop(kEndWait); }
  Workers(Workers const&) = delete;
  Workers& operator=(Workers const&) = delete;
  static constexpr std::chrono::seconds kEndWait{3};

  // Jobs that are put by it run one after the other, in the order in which they were put; so do all
  // of the same key, which is not "".
  JobQueue in_order(std::string key) const { return {pool_, std::move(key)}; }

  // How many jobs wait for a thread. Thread: any.
  std::size_t queued() const { return pool_->queued(); }
  // The job that has been at work for longest. Thread: any.
  std::optional<PoolTrouble> longest() const { return pool_->longest(); }

  // See ThreadPool: threads that ended are replaced, and told of.
  void look() { pool_->look(); }
  void set_told(std::function<void(PoolTrouble const&)> told) { pool_->set_told(std::move(told)); }
};

}  // namespace canary::runtime

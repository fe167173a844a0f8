// SPDX-License-Identifier: Apache-2.0
// Runs what depends on untrusted bytes on the cpu workers, and counts its CPU time against the
// run's budget.
// Thread: loop; the work on a worker.
#pragma once

#include <chrono>
#include <string>
#include <type_traits>
#include <utility>

#include "probes/tuf/rejection.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::tuf {

// CPU time of the calling thread.
std::chrono::nanoseconds thread_cpu_time();

class BoundedWork {
 public:
  // `cpu` outlives this.
  BoundedWork(runtime::Workers& cpu, std::chrono::nanoseconds limit) : cpu_(cpu), limit_(limit) {}

  // Waits for `work`, which owns all it touches: it may outlive a caller that is cancelled.
  template <class F>
  runtime::Task<std::invoke_result_t<F>> run(
      runtime::Trace trace, runtime::StaticName name, F work,
      std::source_location where = std::source_location::current()) {
    auto const begun = runtime::Clock::now();
    auto job = [work = std::move(work)]() mutable {
      std::chrono::nanoseconds const before = thread_cpu_time();
      auto result = work();
      return std::pair{std::move(result), thread_cpu_time() - before};
    };
    auto [result, spent] = co_await cpu_.run(trace, name, std::move(job), where);
    cpu_time_ += spent;
    elapsed_ += runtime::Clock::now() - begun;
    co_return std::move(result);
  }

  // The budget is used up: nothing more is to be started.
  bool spent() const { return cpu_time_ >= limit_; }
  // Why `role` was not looked at then. Rule::budget.
  Rejection refusal(std::string role) const;

  std::chrono::nanoseconds cpu_time() const { return cpu_time_; }
  // Waiting for a worker included.
  std::chrono::nanoseconds elapsed() const { return elapsed_; }

 private:
  runtime::Workers& cpu_;
  std::chrono::nanoseconds limit_;
  std::chrono::nanoseconds cpu_time_{0};
  std::chrono::nanoseconds elapsed_{0};
};

}  // namespace canary::tuf

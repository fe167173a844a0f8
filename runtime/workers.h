// SPDX-License-Identifier: Apache-2.0
// Threads for what must not run on the loop: the disk (one thread) and the CPU (hashing, large
// metadata). A coroutine waits for a job's result without holding the loop.
// Thread: run() on the loop; jobs on their own threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "runtime/cancellation.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

class Workers {
 public:
  // `name` (at most 15 bytes) names the threads. Starts them at once. Made after the Loop, so that
  // its threads have rows in the tables.
  Workers(std::string name, std::size_t threads, ThreadRecord::Kind kind = ThreadRecord::cpu);
  // Runs no further job, waits for those that run.
  ~Workers();
  Workers(Workers const&) = delete;
  Workers& operator=(Workers const&) = delete;

  // A place in the queue; what goes with its last owner is the job that has not begun.
  class Place;

  // A job given to a thread, which may be waited for later; its result stays with it. When the
  // caller stops waiting (cancelled, or this goes), a job that has not begun is taken out of the
  // queue, which thus never holds more than what somebody waits for, however long a thread stands
  // still; one that has begun runs to its end and its result is dropped: hence it owns all it
  // touches.
  template <class T>
  class [[nodiscard]] Job {
   public:
    // REQUIRES: called once. Throws operation_aborted when cancelled; rethrows what the job threw.
    Task<T> result(Trace trace, StaticName name,
                   std::source_location where = std::source_location::current());

   private:
    friend class Workers;
    struct State;
    std::shared_ptr<State> state_;
    std::shared_ptr<Place const> place_;
  };

  // Queues `work` (called without arguments on one of the threads); `name` is what the thread's row
  // shows meanwhile. Thread: loop.
  template <class F>
  Job<std::invoke_result_t<F>> start(Executor executor, F work, StaticName name = "job");

  // How many jobs wait for a thread. Thread: any.
  std::size_t queued() const;

  // start() and wait.
  template <class F>
  Task<std::invoke_result_t<F>> run(Trace trace, StaticName name, F work,
                                    std::source_location where = std::source_location::current()) {
    auto job = start(co_await asio::this_coro::executor, std::move(work), name);
    co_return co_await job.result(trace, name, where);
  }

  // Destroys `value` on one of the threads: what was made from outside may be large, and then its
  // end would hold the loop. Thread: any.
  template <class T>
  void retire(T value) {
    put("retire", [owned = std::make_shared<T>(std::move(value))] {});
  }

 private:
  std::shared_ptr<Place const> enqueue(StaticName name, std::function<void()> work);
  void put(StaticName name, std::function<void()> work);  // to be run, whoever waits
  struct Impl;
  std::shared_ptr<Impl> impl_;  // shared with the places, which may outlive the threads
};

void post_to(Executor const& executor, std::function<void()> work);

template <class T>
struct Workers::Job<T>::State {
  explicit State(Executor on) : executor(on), changed(on) {}
  Executor executor;
  Event changed;      // loop
  bool done = false;  // loop
  std::optional<T> value;
  std::exception_ptr thrown;
};

template <class F>
Workers::Job<std::invoke_result_t<F>> Workers::start(Executor executor, F work, StaticName name) {
  using T = std::invoke_result_t<F>;
  static_assert(!std::is_void_v<T>, "a job gives a value: it is how its end is known");
  Job<T> job;
  job.state_ = std::make_shared<typename Job<T>::State>(executor);
  // std::function wants copies; the job itself may be move-only. The queue's is the only one: what
  // the job owns goes on the thread that ran it.
  auto shared = std::make_shared<F>(std::move(work));
  job.place_ = enqueue(name, [state = job.state_, shared = std::move(shared)] {
    auto outcome = std::make_shared<std::pair<std::optional<T>, std::exception_ptr>>();
    try {
      outcome->first.emplace((*shared)());
    } catch (...) {
      outcome->second = std::current_exception();
    }
    post_to(state->executor, [state, outcome] {
      state->value = std::move(outcome->first);
      state->thrown = outcome->second;
      state->done = true;
      state->changed.notify();
    });
  });
  return job;
}

template <class T>
Task<T> Workers::Job<T>::result(Trace trace, StaticName name, std::source_location where) {
  auto const state = state_;
  auto const place = place_;
  while (!state->done) {
    bool const notified = co_await state->changed.wait_until(trace, name, Deadline::never(), where);
    if (!notified && !state->done) throw_operation_aborted();
  }
  if (state->thrown) std::rethrow_exception(state->thrown);
  co_return std::move(*state->value);
}

}  // namespace canary::runtime

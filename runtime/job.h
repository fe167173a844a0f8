// SPDX-License-Identifier: Apache-2.0
// A job that was given to a thread of a pool, and its result.
// Thread: loop.
#pragma once

#include <cxxabi.h>

#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "runtime/cancellation.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/thread_pool.h"
#include "runtime/trace.h"

namespace canary::runtime {

// It may be waited for later; its result stays with it. When the caller stops waiting (cancelled,
// or this goes), a job that has not begun is taken out of the queue, which thus never holds more
// than what somebody waits for, however long a thread stands still; one that has begun runs to its
// end and its result is dropped: hence it owns all it touches.
template <class T>
class [[nodiscard]] Job {
 public:
  // REQUIRES: called once. Throws operation_aborted when cancelled, JobLost where its thread ended,
  // AllStand where no thread is to be had; rethrows what the job threw.
  Task<T> result(Trace trace, StaticName name,
                 std::source_location where = std::source_location::current()) {
    auto const state = state_;
    co_await wait(*this, trace, name, Deadline::never(), where);
    co_return take(*state);
  }
  // False where `until` passes first; the job goes on. Throws operation_aborted when cancelled.
  Task<bool> done_by(Deadline until, Trace trace, StaticName name,
                     std::source_location where = std::source_location::current()) {
    return wait(*this, trace, name, until, where);
  }
  // REQUIRES: done_by() gave true; called once. Throws as result() does.
  T take() { return take(*state_); }

  // Queues `work` in `pool`, as `how` says; its run, lost and executor are filled in here.
  template <class F>
  static Job start(ThreadPool& pool, Executor executor, ThreadPool::Work how, F work);

 private:
  struct State {
    explicit State(Executor on) : changed(on) {}
    Event changed;      // loop
    bool done = false;  // loop
    std::optional<T> value;
    std::exception_ptr thrown;
  };
  // However long nothing comes, the pool is looked at so often: its thread may have ended.
  static constexpr std::chrono::milliseconds kLook{250};
  static constexpr std::chrono::milliseconds kTurn{1};

  static Task<bool> wait(Job job, Trace trace, StaticName name, Deadline until,
                         std::source_location where) {
    while (!job.state_->done) {
      auto const step = until.within(kLook);
      bool const notified = co_await job.state_->changed.wait_until(trace, name, step, where);
      if (job.state_->done) break;
      if (notified) continue;
      if (!step.passed()) throw_operation_aborted();
      job.place_->look();
      if (!until.passed()) continue;
      // Where the loop itself did not turn, the result may have come meanwhile.
      co_await job.state_->changed.wait_until(trace, name, Deadline::after(kTurn), where);
      co_return job.state_->done;
    }
    co_return true;
  }
  static T take(State& state) {
    if (state.thrown) std::rethrow_exception(state.thrown);
    return std::move(*state.value);
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<ThreadPool::Place const> place_;
};

template <class T>
template <class F>
Job<T> Job<T>::start(ThreadPool& pool, Executor executor, ThreadPool::Work how, F work) {
  static_assert(!std::is_void_v<T>, "a job gives a value: it is how its end is known");
  Job job;
  job.state_ = std::make_shared<State>(executor);
  auto const done = [state = job.state_](std::optional<T> value, std::exception_ptr thrown) {
    auto const given = std::make_shared<std::optional<T>>(std::move(value));
    return [state, given, thrown] {
      if (state->done) return;
      state->value = std::move(*given);
      state->thrown = thrown;
      state->done = true;
      state->changed.notify();
    };
  };
  // std::function wants copies; the job itself may be move-only. The queue's is the only one: what
  // the job owns goes on the thread that ran it.
  auto shared = std::make_shared<F>(std::move(work));
  how.executor = executor;
  how.lost = [done](std::exception_ptr why) { return done(std::nullopt, why); };
  how.run = [done, shared = std::move(shared)]() -> ThreadPool::OnLoop {
    try {
      return done(std::optional<T>{(*shared)()}, nullptr);
    } catch (abi::__forced_unwind const&) {
      throw;  // the thread is ended from within; its pool notices
    } catch (std::exception const&) {
      return done(std::nullopt, std::current_exception());
    } catch (...) {
      std::runtime_error const what{"a job threw something that is no std::exception"};
      return done(std::nullopt, std::make_exception_ptr(what));
    }
  };
  job.place_ = pool.enqueue(std::move(how));
  return job;
}

}  // namespace canary::runtime

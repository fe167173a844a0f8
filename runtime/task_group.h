// SPDX-License-Identifier: Apache-2.0
// Owns the coroutines it starts: nothing in canaryd runs detached.
// Thread: loop.
#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/cancellation.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  // REQUIRES: nothing runs any more (join() returned or threw), or the loop no longer runs and
  // takes its coroutines down. Checked: tasks use what their starter's frame owns.
  ~TaskGroup();
  TaskGroup(TaskGroup const&) = delete;
  TaskGroup& operator=(TaskGroup const&) = delete;

  // Starts `work` from a handler of its own; after request_stop() only for it to unwind.
  void start(Task<void> work);
  // Cancels all; idempotent. Work that ignores it keeps join() waiting.
  void request_stop();
  std::size_t running() const;

  // Returns when fewer than `count` are running. Where it throws, as join() does, none is left.
  Task<void> until_fewer_than(std::size_t count, Trace trace);
  // Returns when none is left; a caller that is cancelled meanwhile cancels them all and still
  // waits for them, then throws operation_aborted. Throws what a task threw first (cancellations
  // after request_stop() aside).
  // Between start() and join() wait for this group only: whatever else throws there leaves tasks
  // behind.
  Task<void> join(Trace trace);

  // Waits for all, or stops them at the deadline and waits until they have unwound. True when they
  // ended by themselves.
  Task<bool> join_until(Deadline deadline, Trace trace);

 private:
  struct State;
  // Cancels all and waits for them. True when this coroutine itself was cancelled: before, or while
  // they unwound.
  static Task<bool> see_out(std::shared_ptr<State> state, Trace trace);
  std::shared_ptr<State> state_;
};

// Runs `work` and gives its result, or cancels it at the deadline, waits until it has unwound and
// gives nothing. A deadline is a request: work that ignores cancellation holds this open.
template <class T>
Task<std::optional<T>> within(Deadline deadline, Task<T> work, Trace trace) {
  // `result` lives here until join_until has returned, hence the reference.
  struct Run {
    static Task<void> keep(Task<T> work, std::optional<T>& result) {
      result.emplace(co_await std::move(work));
    }
  };
  std::optional<T> result;
  TaskGroup group{co_await asio::this_coro::executor};
  group.start(Run::keep(std::move(work), result));
  bool const finished = co_await group.join_until(deadline, trace);
  if (!finished) result.reset();
  co_return result;
}

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// Ordinary code waits for one coroutine, checked: never on the loop thread, never for ever.
// Thread: any but the loop's.
#pragma once

#include <memory>
#include <optional>
#include <source_location>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "runtime/deadline.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace canary::runtime {

// The part of block_on that is no template: runs `work` and waits for it.
void wait_for(Loop& loop, Task<void> work, Deadline deadline, std::stop_token stop,
              std::source_location where);

// Runs `work` on `loop` and gives its result, or throws what it threw.
// Throws NestedLoop, in every build, on the loop thread (it would wait for itself);
// LoopNotRunning where nothing runs the loop; DeadlinePassed or Interrupted (by `stop`) after
// cancelling the work and giving it a second to unwind.
template <class T>
T block_on(Loop& loop, Task<T> work, Deadline deadline, std::stop_token stop = {},
           std::source_location where = std::source_location::current()) {
  if constexpr (std::is_void_v<T>) {
    wait_for(loop, std::move(work), deadline, std::move(stop), where);
  } else {
    // Shared with the coroutine: work that does not unwind in time must not write into a dead
    // frame.
    auto const result = std::make_shared<std::optional<T>>();
    struct Run {
      static Task<void> keep(Task<T> work, std::shared_ptr<std::optional<T>> result) {
        result->emplace(co_await std::move(work));
      }
    };
    wait_for(loop, Run::keep(std::move(work), result), deadline, std::move(stop), where);
    return std::move(**result);
  }
}

}  // namespace canary::runtime

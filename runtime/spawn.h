// SPDX-License-Identifier: Apache-2.0
// Starts a coroutine on the loop. For TaskGroup and block_on, which own what they start; everybody
// else starts work through them.
// Thread: any.
#pragma once

#include <exception>
#include <functional>

#include <boost/asio/cancellation_signal.hpp>

#include "runtime/task.h"

namespace canary::runtime {

// Runs `work` from a handler of its own; `done` gets what it threw, or null. Emitting on the
// signal of `cancellation` (on the loop thread) cancels what the coroutine waits for.
void spawn(Executor executor, Task<void> work, asio::cancellation_slot cancellation,
           std::function<void(std::exception_ptr)> done);

}  // namespace canary::runtime

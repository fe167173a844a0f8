// SPDX-License-Identifier: Apache-2.0
// Something a coroutine waits for and another one, or a timer, makes happen.
// Thread: loop.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

// Waits until notify() is called after the wait began, or `deadline`. A condition variable, not a
// flag: check the condition before waiting.
class Event {
 public:
  explicit Event(Executor const& executor) : timer_(executor) {}

  // True when notified, false when the deadline passed first or the wait was cancelled.
  Task<bool> wait_until(Trace trace, StaticName name, Deadline deadline,
                        std::source_location where = std::source_location::current());
  void notify() { timer_.cancel(); }

 private:
  asio::steady_timer timer_;
};

// Sleeps. Cancelled with the run.
Task<void> sleep_until(Trace trace, StaticName name, Deadline deadline,
                       std::source_location where = std::source_location::current());

}  // namespace canary::runtime

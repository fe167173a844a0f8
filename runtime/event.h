// SPDX-License-Identifier: Apache-2.0
// Something that coroutines wait for and another one, or a timer, makes happen.
// Thread: loop.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

// A condition variable, not a flag: notify() wakes all that wait at that moment and is forgotten.
// Check the condition before waiting and after it. Any number of coroutines may wait.
class Event {
 public:
  explicit Event(Executor executor) : executor_(std::move(executor)) {}
  // Whoever still waits (where the loop is taken down) goes on waiting for the deadline alone.
  ~Event();
  Event(Event const&) = delete;
  Event& operator=(Event const&) = delete;

  // True when notified, false when the deadline passed first or the wait was cancelled.
  Task<bool> wait_until(Trace trace, StaticName name, Deadline deadline,
                        std::source_location where = std::source_location::current());
  void notify();

 private:
  // One coroutine's wait; lives in its frame.
  struct Waiter;
  Executor executor_;
  Waiter* first_ = nullptr;  // a list through the waiters
};

// Sleeps. Cancelled with the run.
Task<void> sleep_until(Trace trace, StaticName name, Deadline deadline,
                       std::source_location where = std::source_location::current());

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// Something that coroutines wait for and another one, or a timer, makes happen.
// Thread: loop.
#pragma once

#include <chrono>

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
  // One coroutine's wait; lives in its frame. Each has a timer of its own: one that several share
  // would wake them all whenever it is set.
  struct Waiter {
    Waiter(Event& of, Deadline deadline);
    ~Waiter() { leave(); }
    Waiter(Waiter const&) = delete;
    Waiter& operator=(Waiter const&) = delete;
    void leave();

    Event* event;  // nullptr: no longer in its list
    Waiter* next;
    Waiter* previous = nullptr;
    asio::steady_timer timer;
    bool notified = false;
  };
  Executor executor_;
  Waiter* first_ = nullptr;  // a list through the waiters
};

// Sleeps. Cancelled with the run.
Task<void> sleep_until(Trace trace, StaticName name, Deadline deadline,
                       std::source_location where = std::source_location::current());

// For a coroutine that goes over what came from outside: it gives the loop to others every few
// milliseconds, however much there is. `if (turn.over()) co_await turn.pass(trace);`
class Turn {
 public:
  // Has this coroutine gone on for longer than a handler should since it last passed?
  bool over() const { return Clock::now() - since_ > kTurn; }
  // Goes on in a handler of its own, after those that wait.
  Task<void> pass(Trace trace, std::source_location where = std::source_location::current());

 private:
  static constexpr std::chrono::milliseconds kTurn{2};
  Clock::time_point since_ = Clock::now();
};

}  // namespace canary::runtime

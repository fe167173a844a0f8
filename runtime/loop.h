// SPDX-License-Identifier: Apache-2.0
// The one runtime: the only io_context of the process and the thread that runs it.
// Thread: any, unless a function says otherwise.
#pragma once

#include <functional>
#include <memory>
#include <source_location>
#include <string>

#include "runtime/refusal.h"
#include "runtime/tables.h"
#include "runtime/task.h"

namespace canary::runtime {

class Loop {
 public:
  // Throws SecondLoop, naming both places, while another Loop exists.
  explicit Loop(TableSizes sizes = {},
                std::source_location where = std::source_location::current());
  // Stops and joins. Coroutines that are still suspended are destroyed.
  ~Loop();
  Loop(Loop const&) = delete;
  Loop& operator=(Loop const&) = delete;

  // Runs the loop on a thread of its own, called "loop".
  void start(std::source_location where = std::source_location::current());

  // Runs the loop on the calling thread until stop(). Throws NestedLoop, naming both places, where
  // the loop is already being run, be it by another thread or by a caller of this one.
  void run(std::source_location where = std::source_location::current());

  // Makes run() return once the handler that runs now has returned; idempotent.
  void stop();
  // Waits until run() has returned. REQUIRES: not on the loop thread.
  void join();

  Executor executor() const;
  bool running() const;
  // Where run() or start() was called; empty when it was not.
  std::string running_since() const;

  // Runs `work` on the loop thread, after what is queued there already.
  void post(std::function<void()> work);

  static bool on_loop_thread();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::runtime

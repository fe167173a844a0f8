// SPDX-License-Identifier: Apache-2.0
// The daemon's own tasks on the loop: scheduler, beat, cancels and the like. Each lives until the
// daemon stops. One that ends sooner is the end of what the loop is for, and must not go unseen:
// the pages would say "healthy" while nothing runs.
// Thread: loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/task.h"
#include "runtime/task_group.h"

namespace canary::daemon {

class LastingTasks {
 public:
  // Hears which task ended and why ("it returned", or the exception's text), before may_end().
  // In the daemon it does not return.
  using Ended = std::function<void(std::string_view task, std::string_view why)>;
  LastingTasks(runtime::Executor executor, Ended ended);

  void start(std::string task, runtime::Task<void> work);
  // The daemon stops: from now on they may end. Idempotent.
  void may_end();
  // may_end(), then cancels all.
  void request_stop();
  // Returns when none is left. REQUIRES: request_stop().
  runtime::Task<void> join();

 private:
  struct State;
  static runtime::Task<void> keep(std::shared_ptr<State> state, std::string task,
                                  runtime::Task<void> work);
  std::shared_ptr<State> state_;
  runtime::TaskGroup tasks_;
};

}  // namespace canary::daemon

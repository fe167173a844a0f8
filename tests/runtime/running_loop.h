// SPDX-License-Identifier: Apache-2.0
// A loop that runs on its own thread for the length of a test.
#pragma once

#include <chrono>
#include <utility>

#include "runtime/block_on.h"
#include "runtime/loop.h"

namespace canary::runtime {

class RunningLoop {
 public:
  RunningLoop() { loop_.start(); }
  Loop& loop() { return loop_; }
  Executor executor() const { return loop_.executor(); }

  // Long enough that only a hang reaches it.
  template <class T>
  T block_on(Task<T> work) {
    return runtime::block_on(loop_, std::move(work), Deadline::after(std::chrono::minutes{4}));
  }

 private:
  Loop loop_;
};

}  // namespace canary::runtime

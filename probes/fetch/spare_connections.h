// SPDX-License-Identifier: Apache-2.0
// Connections beyond those that every run may have, shared by all runs: for who has thousands of
// files to ask for over a long way. Who gets none does with what it has.
// Thread: loop; limit(): any.
#pragma once

#include <atomic>
#include <cstddef>

#include "runtime/contract.h"

namespace canary::fetch {

class SpareConnections {
 public:
  static constexpr std::size_t kMost = 64;

  // Those that are taken already stay so.
  void limit(std::size_t most) { most_.store(most, std::memory_order_relaxed); }
  // False: none is left.
  bool take() {
    runtime::require_loop_thread();
    if (taken_ >= most_.load(std::memory_order_relaxed)) return false;
    ++taken_;
    return true;
  }
  // REQUIRES: so many were taken.
  void give_back(std::size_t count) {
    runtime::require_loop_thread();
    taken_ -= count;
  }
  std::size_t taken() const { return taken_; }

 private:
  std::atomic<std::size_t> most_{kMost};
  std::size_t taken_ = 0;
};

}  // namespace canary::fetch

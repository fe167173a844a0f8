// SPDX-License-Identifier: Apache-2.0
// A bounded queue of packed log lines: any number of writers that never wait, one reader.
// Thread: try_push any; pop one. Source: D. Vyukov's bounded queue: each cell carries the position
// at which it may be used next.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "config/config.h"

namespace canary::daemon {

struct LogRecord {
  static constexpr std::size_t kBytes = 2000;
  std::chrono::system_clock::time_point time;
  config::LogLevel level;
  config::LogFormat format;
  std::uint16_t used;  // of bytes
  std::array<char, kBytes> bytes;
};

class LogRing {
 public:
  // `cells` is a power of two.
  explicit LogRing(std::size_t cells)
      : mask_(cells - 1), cells_(std::make_unique_for_overwrite<Cell[]>(cells)) {
    for (std::size_t i = 0; i < cells; ++i) cells_[i].sequence.store(i, std::memory_order_relaxed);
  }

  // Lets `fill(LogRecord&)` write the next cell; false, without calling it, when all are full.
  template <class Fill>
  bool try_push(Fill const& fill) {
    std::uint64_t position = pushed_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[position & mask_];
      auto const sequence = cell.sequence.load(std::memory_order_acquire);
      if (sequence < position) return false;  // still holds what was pushed a round ago
      if (sequence > position) {
        position = pushed_.load(std::memory_order_relaxed);
      } else if (pushed_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
        fill(cell.record);
        cell.sequence.store(position + 1, std::memory_order_release);
        return true;
      }
    }
  }

  // Lets `use(LogRecord const&)` read the oldest cell; false when there is none.
  template <class Use>
  bool pop(Use const& use) {
    Cell& cell = cells_[popped_ & mask_];
    if (cell.sequence.load(std::memory_order_acquire) != popped_ + 1) return false;
    use(cell.record);
    cell.sequence.store(popped_ + mask_ + 1, std::memory_order_release);
    ++popped_;
    return true;
  }

  std::uint64_t pushed() const { return pushed_.load(std::memory_order_acquire); }

 private:
  struct Cell {
    std::atomic<std::uint64_t> sequence;
    LogRecord record;
  };
  std::size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(64) std::atomic<std::uint64_t> pushed_{0};
  alignas(64) std::uint64_t popped_ = 0;
};

}  // namespace canary::daemon

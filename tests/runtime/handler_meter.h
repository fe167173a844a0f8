// SPDX-License-Identifier: Apache-2.0
// The CPU time of the longest handler on the loop, watched from a thread beside it: what a handler
// used between the first and the last look at it. On a busy machine it sees less, never more.
// Thread: the test's.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "runtime/tables.h"

namespace canary::runtime {

class HandlerMeter {
 public:
  // REQUIRES: the Loop runs until this is gone.
  HandlerMeter() : thread_([this] { watch(); }) {}
  ~HandlerMeter() {
    stopping_ = true;
    thread_.join();
  }
  HandlerMeter(HandlerMeter const&) = delete;
  HandlerMeter& operator=(HandlerMeter const&) = delete;

  std::chrono::nanoseconds longest() const { return std::chrono::nanoseconds{longest_.load()}; }

 private:
  static constexpr std::chrono::microseconds kPause{200};

  void watch() {
    LoopRecord const& loop = tables()->loop();
    // The kernel's name for a thread's CPU clock; see clock_getcpuclockid(3).
    auto const clock =
        static_cast<clockid_t>((~static_cast<unsigned>(loop.thread.load()) << 3U) | 6U);
    std::uint64_t handler = 0;
    std::int64_t first = 0;
    while (!stopping_) {
      std::uint64_t const before = loop.handlers.load();
      bool const runs = loop.handler_since_ns.load() != 0;
      timespec time{};
      bool const read = ::clock_gettime(clock, &time) == 0;
      std::int64_t const used = time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
      if (read && runs && loop.handlers.load() == before && loop.handler_since_ns.load() != 0) {
        if (handler != before || first == 0) first = used;
        handler = before;
        longest_ = std::max(longest_.load(), used - first);
      }
      std::this_thread::sleep_for(kPause);
    }
  }

  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> longest_{0};
  std::thread thread_;
};

}  // namespace canary::runtime

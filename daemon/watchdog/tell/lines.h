// SPDX-License-Identifier: Apache-2.0
// What the watchdog wants in the log: handed over in preallocated memory, so that a stuck log never
// holds the watchdog.
// Thread: push() the watchdog's; pop() the log writer's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "daemon/watchdog/judge/verdict.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

struct Line {
  enum class Kind : std::uint8_t {
    stall,            // the incident reached a level
    over,             // it ended by itself
    dumped,           // a dump was written, `path`
    dump_failed,      // `count`: errno
    dump_unreadable,  // the helper could not make `count` dumps readable
    suppressed,       // `count` dumps or lines of this incident were not
    cancelled,        // the watchdog asked the run to end
    not_unwound,      // it did not
    quarantined,      // the probe is not run any more, after `count` stalls of the loop
    dying,            // the process is about to be ended
    stands,           // the subject has stood still for `nanoseconds` by the wall clock
    turns,            // it does not any more
    mute,             // the server cannot be asked whether it answers
    mute_over,        // it can
    disturbed,        // the machine or somebody held us, for `nanoseconds`
    emergency,        // the server has been silent for `nanoseconds`: the watchdog's page is served
    emergency_over,   // it answers again, after `nanoseconds`
  };
  Kind kind = Kind::stall;
  Disturbance disturbance = Disturbance::late;
  std::int64_t wall_ns = 0;
  std::int64_t nanoseconds = 0;
  std::uint64_t count = 0;
  Incident incident;
  PathText path{};
};

class WatchdogLines {
 public:
  static constexpr std::size_t kLines = 64;
  // False, and counted by the caller, when nobody takes lines out.
  bool push(Line const& line) {
    std::uint64_t const at = pushed_.load(std::memory_order_relaxed);
    if (at - popped_.load(std::memory_order_acquire) >= kLines) return false;
    lines_[at % kLines] = line;
    pushed_.store(at + 1, std::memory_order_release);
    return true;
  }
  bool pop(Line& line) {
    std::uint64_t const at = popped_.load(std::memory_order_relaxed);
    if (at == pushed_.load(std::memory_order_acquire)) return false;
    line = lines_[at % kLines];
    popped_.store(at + 1, std::memory_order_release);
    return true;
  }

  // An eventfd that becomes readable with each line; set once, before both threads start.
  void set_wake_descriptor(int descriptor) { wake_ = descriptor; }
  int wake_descriptor() const { return wake_; }

 private:
  int wake_ = -1;
  std::array<Line, kLines> lines_{};
  alignas(64) std::atomic<std::uint64_t> pushed_{0};
  alignas(64) std::atomic<std::uint64_t> popped_{0};
};

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// The probes in whose handlers the loop stalled, and which of them are in quarantine for it.
// Thread: written by the watchdog alone; any thread reads, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/published.h"

namespace canary::watchdog {

using ProbeText = std::array<char, 104>;  // NUL-terminated

// A probe in whose handlers the loop stalled, and when (wall clock).
struct Culprit {
  static constexpr std::size_t kTimes = 8;
  ProbeText probe{};
  std::array<std::int64_t, kTimes> wall_ns{};  // the newest anywhere; 0: unused
  std::uint32_t quarantined = 0;
  std::uint32_t stalls = 0;  // in all
};

// All of them, those in quarantine included: more than can come together between two reloads.
// Places below `count` are used.
inline constexpr std::size_t kCulprits = 16'384;
struct Culprits {
  std::atomic<std::uint32_t> count;
  std::array<runtime::Published<Culprit>, kCulprits> places;
};

// Notes a stall of the loop in the probe's handler; true when it is to be quarantined from now on.
// Thread: the watchdog's.
bool note_culprit(Culprits& culprits, std::string_view probe, std::int64_t wall_ns,
                  int quarantine_after, std::int64_t window_ns);

}  // namespace canary::watchdog

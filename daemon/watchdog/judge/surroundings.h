// SPDX-License-Identifier: Apache-2.0
// What the machine did to the whole process between two looks: it slept, stopped, starved or
// stepped its clock. Such time extends everybody's limits instead of accusing anybody. Thread: none
// (pure). Times are nanoseconds.
#pragma once

#include <cstdint>

#include "daemon/watchdog/judge/verdict.h"

namespace canary::watchdog {

// The machine at one moment, as the watchdog's own thread sees it.
struct Surroundings {
  std::int64_t monotonic_ns = 0, boot_ns = 0, wall_ns = 0;
  std::int64_t own_delay_ns = 0;  // this thread waited for a CPU so far
  std::int64_t throttled_ns = 0;  // the cgroup's quota held us so far
  std::int64_t steal_ns = 0;      // other virtual machines' share, per CPU, so far
};

struct Assessment {
  std::int64_t late_ns = 0;     // woke so much later than planned
  std::int64_t grace_ns = 0;    // of the time between the two moments
  std::int64_t starved_ns = 0;  // of that, for want of CPU: grace within a bound
  bool disturbed = false;       // worth an event; `kind` says which
  Disturbance kind = Disturbance::late;
  std::int64_t lasted_ns = 0;      // of the disturbance
  std::int64_t clock_step_ns = 0;  // the wall clock jumped by that; 0 for less than a second
  bool pause = false;              // judge nobody for a few ticks
};

// `planned_ns`: when the watchdog should have woken, monotonic. `slept_from_ns` when it went to
// sleep: what it did itself before is no grace.
Assessment assess(Surroundings const& before, Surroundings const& now, std::int64_t slept_from_ns,
                  std::int64_t planned_ns);

}  // namespace canary::watchdog

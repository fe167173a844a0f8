// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/judge/surroundings.h"

#include <algorithm>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

Assessment assess(Surroundings const& before, Surroundings const& now, std::int64_t slept_from_ns,
                  std::int64_t planned_ns) {
  Assessment result;
  std::int64_t const elapsed = now.monotonic_ns - slept_from_ns;
  std::int64_t const planned = planned_ns - slept_from_ns;
  result.late_ns = now.monotonic_ns > planned_ns ? now.monotonic_ns - planned_ns : 0;
  std::int64_t const asleep =
      (now.boot_ns - before.boot_ns) - (now.monotonic_ns - before.monotonic_ns);
  std::int64_t const step = (now.wall_ns - before.wall_ns) - (now.boot_ns - before.boot_ns);
  if (step > kSecond || step < -kSecond) result.clock_step_ns = step;

  std::int64_t withheld = now.throttled_ns - before.throttled_ns;
  if (now.steal_ns - before.steal_ns > withheld) withheld = now.steal_ns - before.steal_ns;
  // Since the last look: what the watchdog had to do then may have been held up, too.
  std::int64_t const since_look = std::max(elapsed, now.monotonic_ns - before.monotonic_ns);
  withheld = std::clamp<std::int64_t>(withheld, 0, since_look);
  std::int64_t const own =
      std::clamp<std::int64_t>(now.own_delay_ns - before.own_delay_ns, 0, since_look);

  bool const late = result.late_ns > planned / 4 && result.late_ns > 5 * kMillisecond;
  if (late) result.grace_ns = result.late_ns;
  std::int64_t const cpu = own > withheld ? own : withheld;
  if (cpu * 2 >= result.grace_ns) result.starved_ns = result.grace_ns;
  if (cpu > result.grace_ns && cpu > since_look / 10) {
    result.starved_ns += cpu - result.grace_ns;
    result.grace_ns = cpu;
  }

  if (asleep > 100 * kMillisecond) {
    result.disturbed = result.pause = true;
    result.kind = Disturbance::suspended;
    result.lasted_ns = asleep;
  } else if (result.late_ns > 100 * kMillisecond) {
    result.disturbed = true;
    result.lasted_ns = result.late_ns;
    // Late without having waited for a CPU: nothing of us ran at all.
    if (cpu * 2 >= result.late_ns) {
      result.kind = Disturbance::starved;
    } else if (result.late_ns > 300 * kMillisecond) {
      result.kind = Disturbance::stopped;
      result.pause = true;
    }
  } else if (result.grace_ns > 100 * kMillisecond) {
    result.disturbed = true;
    result.kind = Disturbance::starved;
    result.lasted_ns = result.grace_ns;
  }
  return result;
}

}  // namespace canary::watchdog

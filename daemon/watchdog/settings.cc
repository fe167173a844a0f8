// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/settings.h"

namespace canary::watchdog {

Settings settings_of(config::WatchdogSettings const& from) {
  using OnDeadSetting = config::WatchdogSettings::OnDead;
  Settings settings;
  settings.limits = {.loop_suspect = nanoseconds(from.loop_suspect),
                     .loop_stall = nanoseconds(from.loop_stall),
                     .loop_hung = nanoseconds(from.loop_hung),
                     .loop_dead = nanoseconds(from.loop_dead),
                     .run_stall = nanoseconds(from.run_stall),
                     .run_unwind = nanoseconds(from.run_unwind),
                     .worker_stall = nanoseconds(from.worker_stall),
                     .disk_stall = nanoseconds(from.disk_stall),
                     .server_stall = nanoseconds(from.server_stall),
                     .scheduler_stall = nanoseconds(from.scheduler_stall)};
  switch (from.on_dead) {
    case OnDeadSetting::abort:
      settings.policy.on_dead = OnDead::abort;
      break;
    case OnDeadSetting::exec:
      settings.policy.on_dead = OnDead::exec;
      break;
    case OnDeadSetting::report:
      settings.policy.on_dead = OnDead::report;
      break;
  }
  settings.policy.quarantine_after = from.quarantine_after;
  settings.policy.quarantine_window_ns = nanoseconds(from.quarantine_window);
  return settings;
}

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What is known of the process before, for those who read the log only.
// Thread: control, at start.
#pragma once

#include "config/config.h"
#include "daemon/app/dumps.h"
#include "daemon/log/log.h"
#include "daemon/watchdog/watchdog.h"

namespace canary::daemon {

// By the watchdog's memory of stalls, and by the tables that systemd kept of a process that could
// not say anything itself any more. Nothing where it ended in order.
void tell_of_the_last_run(Log& log, watchdog::Watchdog const& watchdog, Dumps const& dumps,
                          config::Config const& config);

}  // namespace canary::daemon

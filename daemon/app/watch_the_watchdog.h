// SPDX-License-Identifier: Apache-2.0
// The loop's task that watches the watchdog: one that stands still is told, and ends the process
// within thirty seconds, for nothing would be noticed any more.
// Thread: loop.
#pragma once

#include "daemon/log/log.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/task.h"

namespace canary::daemon {

// Goes on until it is cancelled. Both outlive it.
runtime::Task<void> watch_the_watchdog(watchdog::Watchdog& watchdog, Log& log);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// The metrics of the loop and of the watchdog, from plain atomics: they are served while the loop
// is dead.
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "daemon/results/snapshot.h"
#include "daemon/watchdog/tell/status.h"
#include "runtime/tables.h"

namespace canary::daemon {

// Appends the families to a page. `snapshot` gives the probes that have a series each.
void append_hang_metrics(std::string& page, watchdog::Record const& record, runtime::Tables& tables,
                         Snapshot const& snapshot, SysTime now);

// Of a page: the families that stay the same until the process ends, for the emergency page.
std::string unchanging_metrics(std::string_view page);

// {"executor", "incidents", "last_stall", "previous_run", "dumps", "quarantined"}: what
// GET /api/v1/hangs says and `canaryd status` prints.
std::string hangs_json(watchdog::Record const& record, runtime::Tables& tables, SysTime now);

// Is the executor fit? Not ok, with the reason, while it does not turn by the wall clock, whosever
// fault that is, the watchdog itself does not tick, or it has to answer for the HTTP server.
struct ExecutorHealth {
  bool ok = true;
  std::string reason;
};
ExecutorHealth executor_health(watchdog::Record const& record, runtime::Tables& tables);
// Does only a restart help? Follows the judgement: a loop that is starved, stopped or traced is not
// fit, and lives. Without a judge for long, it does.
ExecutorHealth liveness(watchdog::Record const& record);

}  // namespace canary::daemon

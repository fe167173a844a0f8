// SPDX-License-Identifier: Apache-2.0
// The JSON under /api/v1, and the page at "/" that leads to everything else.
// Thread: any (pure).
#pragma once

#include <string>
#include <string_view>

#include "daemon/results/snapshot.h"

namespace canary::daemon {

// Whether something holds, and why not; `reason` is shown to whoever asks.
struct Health {
  bool ok = true;
  std::string reason;
};

// Ready: a configuration is loaded, and every enabled probe has begun its first run or is not due.
Health readiness(Snapshot const& snapshot, SysTime now);

// Text of servers in these is made valid UTF-8 and escaped; instants are RFC 3339 in UTC with
// milliseconds, spans seconds; what is not known is null.
std::string probes_json(Snapshot const& snapshot, SysTime now);  // one short object per probe
std::string probe_json(ProbeRow const& probe, SysTime now);      // with findings, measurements
// Counts of probes by severity and the worst of them, for badges; the daemon, its configuration.
std::string status_json(Snapshot const& snapshot, Health const& live, SysTime now);
std::string error_json(std::string_view message);

std::string landing_page(Snapshot const& snapshot);

}  // namespace canary::daemon

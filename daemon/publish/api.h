// SPDX-License-Identifier: Apache-2.0
// The JSON under /api/v1, and the judgements that health checks and pages share with it.
// Thread: any (pure).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/results/snapshot.h"
#include "daemon/text/rfc3339.h"

namespace canary::daemon {

// Whether something holds, and why not; `reason` is shown to whoever asks.
struct Health {
  bool ok = true;
  std::string reason;
};

// Ready: a configuration is loaded, and every enabled probe has begun its first run or is not due.
Health readiness(Snapshot const& snapshot, SysTime now);

// "ok" "warning" "critical" "unknown" by the last run; "pending" before the first, "paused" when
// not enabled.
std::string_view state_text(ProbeRow const& probe);

// No run has ended for three intervals and a timeout: what is shown is no news. Never so for a
// probe that is paused, or that has not ended its first run in that time since `daemon` started.
bool is_stale(ProbeRow const& probe, SysTime daemon_started, SysTime now);

// "2026-11-24T20:01:14.123Z".
// Text of servers in these is made valid UTF-8 and escaped; instants are RFC 3339 in UTC (those of
// canaryd itself with milliseconds), spans seconds; what is not known is null.
std::string probes_json(Snapshot const& snapshot, SysTime now);  // one short object per probe
// With findings and measurements; nullopt where there is no such probe.
std::optional<std::string> probe_json(Snapshot const& snapshot, std::string_view probe,
                                      SysTime now);
// Counts of probes by severity and the worst of them, for badges; the daemon, its configuration.
std::string status_json(Snapshot const& snapshot, Health const& live, SysTime now);
std::string error_json(std::string_view message);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Where single runs and days of a probe are told of, and what leads there from its bars.
// Thread: any (pure).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/history/entries.h"
#include "daemon/publish/page/fields.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon::page {

// "/probe/NAME/run/2026-11-24T10:02:11.123Z": the run that ended then.
std::string run_address(std::string_view probe, SysTime ended);
// "/probe/NAME/day/2026-11-24", UTC.
std::string day_address(std::string_view probe, SysTime day);

// Nothing where it is not written exactly so, or there is no such day.
std::optional<SysTime> parse_run_time(std::string_view text);
std::optional<SysTime> parse_day(std::string_view text);

// A list "run_links" of {href, x, title, state}, the newest first: for each bar of `recent` whose
// run the history has. `runs` are the newest of them in order of time; the last one may not be
// written yet. Of bars that do not fit what was written there are none.
void add_run_links(Fields& into, std::string_view probe, RecentRuns const& recent,
                   std::vector<history::RunEntry> const& runs, std::optional<SysTime> last_end);
// A list "day_links" of {href, x, title}, the newest first: for each day that had a run.
void add_day_links(Fields& into, std::string_view probe, std::vector<history::Span> const& days,
                   SysTime now);

// What the page calls a run of that severity: "ok", "degraded", "failing", "unknown".
std::string_view run_state(probes::Severity severity);
std::string_view run_label(probes::Severity severity);  // "could not tell"

}  // namespace canary::daemon::page

// SPDX-License-Identifier: Apache-2.0
// What the history is told of a run, of canaryd's own start and of its hangs.
// Thread: any (pure).
#pragma once

#include <vector>

#include "daemon/history/entries.h"
#include "daemon/results/changes.h"
#include "daemon/results/history.h"
#include "daemon/results/snapshot.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::daemon {

// The run that has just ended, then what it changed. `row` is the probe's after it.
std::vector<history::Entry> entries_of(Changes const& changes, ProbeRow const& row);
history::MissedEntry missed_entry(std::string_view probe, SkipReason reason, std::uint64_t count,
                                  SysTime at);

// The start; before it how the process before ended, where that was not as it should.
std::vector<history::Entry> entries_of_start(watchdog::PreviousRun const& previous,
                                             std::string_view version, SysTime at);
history::EventEntry hang_event(watchdog::LastStall const& stall);

}  // namespace canary::daemon

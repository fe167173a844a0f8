// SPDX-License-Identifier: Apache-2.0
// What the health pages and systemd's status say of this process: the wall clock's truth, which
// accuses nobody, and the judgement, which restarts follow.
// Thread: any. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/watchdog/fixed_text.h"
#include "daemon/watchdog/status.h"
#include "runtime/tables.h"

namespace canary::watchdog {

using HealthText = FixedText<255>;

// "the loop has not turned for 150 s: starved of CPU"; empty while it turns.
HealthText why_it_stands(Record const& record, runtime::Tables& tables, std::int64_t now_ns);

// "log stands still: lock", of a part that only a restart brings back, whosever fault it is; empty
// where all come round.
HealthText what_stands(Record const& record);

// Why only a restart helps: "loop hung for 12 s: lock"; empty where nothing is judged so.
HealthText why_not_live(Record const& record);

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What stands around a repository and is not the repository: a proxy on the way, our own
// credentials, our own clock.
// Thread: none (pure).
#pragma once

#include <optional>

#include "probes/fetch/message.h"
#include "probes/fetch/server_clock.h"
#include "probes/report.h"

namespace canary::tuf {

// Names the proxy in each finding that is not ok: whatever was seen may be its work. Adds a warning
// for each credential of ours whose file cannot be used any more, and for each way in which answers
// were odd.
void add_surroundings(probes::Report& report, fetch::Totals const& totals);

// Says beside an expiry by how much a server's Date and our clock differ, which lowers nothing.
// Where `off` says that it is our clock which is off, what would be judged otherwise by the right
// one (expiry of roles and of certificates) cannot be told, and there is a warning that says so.
// `now` is the time of the run.
void add_clocks(probes::Report& report, fetch::Totals const& totals,
                std::optional<fetch::ClockVerdict> const& off, std::chrono::sys_seconds now);

}  // namespace canary::tuf

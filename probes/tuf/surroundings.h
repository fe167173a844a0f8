// SPDX-License-Identifier: Apache-2.0
// Our own clock, which is not the repository.
// Thread: none (pure).
#pragma once

#include <optional>

#include "probes/fetch/message.h"
#include "probes/fetch/server_clock.h"
#include "probes/report.h"

namespace canary::tuf {

// Says beside an expiry by how much a server's Date and our clock differ, which lowers nothing.
// Where `off` says that it is our clock which is off, what would be judged otherwise by the right
// one (expiry of roles and of certificates) cannot be told, and there is a warning that says so.
// `now` is the time of the run.
void add_clocks(probes::Report& report, fetch::Totals const& totals,
                std::optional<fetch::ClockVerdict> const& off, std::chrono::sys_seconds now);

}  // namespace canary::tuf

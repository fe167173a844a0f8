// SPDX-License-Identifier: Apache-2.0
// What a run judges by our clock, where that is off by the word of others.
// Thread: none (pure).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "probes/fetch/server_clock.h"
#include "probes/report.h"

namespace canary::probes {

// Adds what the run's servers say of our clock to what others said; nothing unless it is off by the
// word of several. `repository`: see ClockWitnesses.
std::optional<fetch::ClockVerdict> heard(fetch::ClockWitnesses& clocks,
                                         std::string const& repository,
                                         fetch::ClockDifferences const& seen);

// The time of the others, where ours is `now`.
std::chrono::sys_seconds their_time(std::chrono::sys_seconds now, fetch::ClockVerdict const& off);

// What would be judged otherwise at the time of the others, as `at_their_time` says, can't be told.
// Findings are the same one by check and subject. Adds one of the check "clock".
void doubt(std::vector<Finding>& found, std::vector<Finding> const& at_their_time,
           fetch::ClockVerdict const& off);

// A handshake that failed for a certificate's dates, and would not have at the time of the others,
// is no fault of the server's: could not tell. `ends`: of what the server showed.
void doubt_handshake(Finding& finding, std::optional<CertificateEnds> const& ends,
                     std::chrono::sys_seconds now, fetch::ClockVerdict const& off);

}  // namespace canary::probes

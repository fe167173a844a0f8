// SPDX-License-Identifier: Apache-2.0
// What a run judges by our clock, where that is off by the word of others.
// Thread: none (pure).
#pragma once

#include <vector>

#include "probes/fetch/server_clock.h"
#include "probes/report.h"

namespace canary::probes {

// What would be judged otherwise at the time of the others, as `at_their_time` says, can't be told.
// Findings are the same one by check and subject. Adds one of the check "clock".
void doubt(std::vector<Finding>& found, std::vector<Finding> const& at_their_time,
           fetch::ClockVerdict const& off);

}  // namespace canary::probes

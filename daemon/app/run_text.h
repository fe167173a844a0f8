// SPDX-License-Identifier: Apache-2.0
// The last run of a probe as `canaryd check` prints one.
// Thread: any (pure).
#pragma once

#include <string>
#include <vector>

#include "daemon/check/check.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon {

// REQUIRES: a run has ended with a report.
std::vector<CheckedProbe> last_run(ProbeRow const& row);
std::string run_text(ProbeRow const& row);

}  // namespace canary::daemon

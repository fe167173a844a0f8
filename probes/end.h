// SPDX-License-Identifier: Apache-2.0
// What the end of something is worth a finding: of a certificate, a key.
// Thread: none (pure).
#pragma once

#include <chrono>
#include <string>

#include "config/thresholds.h"
#include "probes/report.h"

namespace canary::probes {

// With the thresholds in force: a fitted one is a third (critical: a sixth) of the validity at
// most.
Expiry expiry_of(std::chrono::sys_seconds begins, std::chrono::sys_seconds ends,
                 config::ExpiryThresholds const& thresholds);

// Sets severity and reason. "ended 2026-…", "ends 2026-…, in 3d".
std::string judge_end(Expiry const& expiry, std::chrono::sys_seconds now, Finding& finding);

}  // namespace canary::probes

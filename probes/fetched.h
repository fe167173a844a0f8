// SPDX-License-Identifier: Apache-2.0
// What the HTTP client and its connections met, in the words of a report.
// Thread: none (pure).
#pragma once

#include "probes/fetch/fault.h"
#include "probes/fetch/secret_files.h"
#include "probes/report.h"

namespace canary::probes {

Reason reason_of(fetch::Fault const& fault);

// Backoff counts as queue, a proxy's tunnel as connect.
PhaseTimes phase_times(fetch::PhaseTimes const& times);

// A file of ours that could not be read anew, or whose disk does not answer.
Finding kept_finding(fetch::KeptCredential const& kept);

}  // namespace canary::probes

// SPDX-License-Identifier: Apache-2.0
// What the HTTP client and its connections met, in the words of a report.
// Thread: none (pure).
#pragma once

#include "config/thresholds.h"
#include "probes/certificate_end.h"
#include "probes/fetch/fault.h"
#include "probes/fetch/message.h"
#include "probes/fetch/secret_files.h"
#include "probes/report.h"

namespace canary::probes {

Reason reason_of(fetch::Fault const& fault);

// What the client did in the run, and when the certificates that it saw end.
void add_totals(Measurements& measured, fetch::Totals const& totals,
                config::ExpiryThresholds const& certificates = kCertificateThresholds);

// Names the proxy in each finding that is not ok: whatever was seen may be its work. Adds a warning
// for each credential of ours whose file cannot be used any more, and for each way in which answers
// were odd.
void add_surroundings(Report& report, fetch::Totals const& totals);

// A file of ours that could not be read anew, or whose disk does not answer.
Finding kept_finding(fetch::KeptCredential const& kept);

}  // namespace canary::probes

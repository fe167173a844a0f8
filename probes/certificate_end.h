// SPDX-License-Identifier: Apache-2.0
// When a certificate ends, and what that is worth a finding.
// Thread: none (pure).
#pragma once

#include <chrono>
#include <string>

#include "config/thresholds.h"
#include "probes/fetch/validity.h"
#include "probes/report.h"

namespace canary::probes {

// Of kinds whose specification has none for certificates.
inline constexpr config::ExpiryThresholds kCertificateThresholds{
    config::ExpiryThreshold::up_to(std::chrono::days{14}), {}};

// With the thresholds in force: a fitted one is a third (critical: a sixth) of the validity at
// most.
Expiry expiry_of(fetch::Validity const& validity, config::ExpiryThresholds const& thresholds);

// One more certificate was seen.
void add_end(Measurements& measured, Expiry const& expiry);

// Of the check `expiry`: critical once it has ended and before it begins.
Finding certificate_finding(std::string subject, fetch::Validity const& validity,
                            Expiry const& expiry, std::chrono::sys_seconds now);

}  // namespace canary::probes

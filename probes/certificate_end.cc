// SPDX-License-Identifier: Apache-2.0
#include "probes/certificate_end.h"

#include <algorithm>
#include <utility>

#include "config/duration.h"
#include "probes/end.h"

namespace canary::probes {

Expiry expiry_of(fetch::Validity const& validity, config::ExpiryThresholds const& thresholds) {
  return expiry_of(validity.begins, validity.ends, thresholds);
}

void add_end(Measurements& measured, Expiry const& expiry) {
  CertificateEnds const one{.first = expiry.at, .warning = expiry.at - expiry.warning};
  auto& all = measured.certificates;
  if (!all) all = one;
  all->first = std::min(all->first, one.first);
  all->warning = std::min(all->warning, one.warning);
}

Finding certificate_finding(std::string subject, fetch::Validity const& validity,
                            Expiry const& expiry, std::chrono::sys_seconds now) {
  Finding finding{.check = "expiry", .subject = std::move(subject)};
  if (now < validity.begins) {
    finding.severity = Severity::critical;
    finding.reason = Reason::tls_not_yet_valid;
    finding.message = "valid only from " + config::to_text(validity.begins) + " on";
    finding.expected = "a beginning that is before now";
    finding.received = config::to_text(validity.begins);
  } else {
    finding.message = judge_end(expiry, now, finding);
  }
  return finding;
}

}  // namespace canary::probes

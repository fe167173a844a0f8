// SPDX-License-Identifier: Apache-2.0
#include "probes/certificate_end.h"

#include <algorithm>
#include <utility>

#include "config/duration.h"

namespace canary::probes {
namespace {

using std::chrono::seconds;

constexpr int kWarningPart = 3;  // of a certificate's validity, at most
constexpr int kCriticalPart = 6;

seconds in_force(config::ExpiryThreshold const& threshold, seconds validity, int part) {
  return threshold.fitted ? std::min(threshold.span, validity / part) : threshold.span;
}

}  // namespace

Expiry expiry_of(fetch::Validity const& validity, config::ExpiryThresholds const& thresholds) {
  auto const length = validity.ends - validity.begins;
  return {.at = validity.ends,
          .warning = in_force(thresholds.warning, length, kWarningPart),
          .critical = in_force(thresholds.critical, length, kCriticalPart)};
}

Finding certificate_finding(std::string subject, fetch::Validity const& validity,
                            Expiry const& expiry, std::chrono::sys_seconds now) {
  Finding finding{.check = "expiry", .subject = std::move(subject)};
  std::string const end = config::to_text(expiry.at);
  auto const left = expiry.at - now;
  if (now < validity.begins) {
    finding.severity = Severity::critical;
    finding.reason = Reason::tls_not_yet_valid;
    finding.message = "valid only from " + config::to_text(validity.begins) + " on";
  } else if (left <= seconds{0}) {
    finding.severity = Severity::critical;
    finding.reason = Reason::expired;
    finding.message = "ended " + end;
  } else {
    bool const critical = left < expiry.critical;
    bool const warning = left < expiry.warning;
    finding.severity = critical ? Severity::critical : warning ? Severity::warning : Severity::ok;
    finding.reason = warning || critical ? Reason::expiring : Reason::none;
    finding.message = "ends " + end + ", in " + config::to_text(std::chrono::milliseconds{left});
  }
  return finding;
}

}  // namespace canary::probes

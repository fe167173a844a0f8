// SPDX-License-Identifier: Apache-2.0
#include "probes/end.h"

#include <algorithm>

#include "config/duration.h"

namespace canary::probes {
namespace {

using std::chrono::seconds;

constexpr int kWarningPart = 3;  // of the validity, at most
constexpr int kCriticalPart = 6;

seconds in_force(config::ExpiryThreshold const& threshold, seconds validity, int part) {
  return threshold.fitted ? std::min(threshold.span, validity / part) : threshold.span;
}

}  // namespace

Expiry expiry_of(std::chrono::sys_seconds begins, std::chrono::sys_seconds ends,
                 config::ExpiryThresholds const& thresholds) {
  auto const validity = ends - begins;
  return {.at = ends,
          .warning = in_force(thresholds.warning, validity, kWarningPart),
          .critical = in_force(thresholds.critical, validity, kCriticalPart)};
}

std::string judge_end(Expiry const& expiry, std::chrono::sys_seconds now, Finding& finding) {
  std::string const end = config::to_text(expiry.at);
  auto const left = expiry.at - now;
  if (left <= seconds{0}) {
    finding.severity = Severity::critical;
    finding.reason = Reason::expired;
    finding.expected = "an end that is after now";
    finding.received = end;
    return "ended " + end;
  }
  bool const critical = left < expiry.critical;
  bool const warning = left < expiry.warning;
  finding.severity = critical ? Severity::critical : warning ? Severity::warning : Severity::ok;
  finding.reason = warning || critical ? Reason::expiring : Reason::none;
  return "ends " + end + ", in " + config::to_text(std::chrono::milliseconds{left});
}

}  // namespace canary::probes

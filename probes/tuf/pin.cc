// SPDX-License-Identifier: Apache-2.0
// Thread: none (pure).
#include "probes/tuf/pin.h"

#include "probes/tuf/findings.h"
#include "probes/tuf/refresh.h"

namespace canary::tuf {

probes::Finding pin_finding(std::string const& file, Rejection const& why) {
  probes::Finding finding = finding_of(RefreshFailure{"root", why}, Stage::metadata);
  if (reason(why.rule) == Reason::parse) {
    finding.severity = probes::Severity::unknown;
    finding.reason = probes::Reason::configuration;
    finding.message = "the pinned root " + file + " is no TUF root: " + why.detail +
                      ". Pin a root.json of the repository";
  } else {
    finding.message = "the pinned root " + file + " is bad: " + finding.message;
  }
  return finding;
}

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Probes that were checked, made by hand.
// Thread: any.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/check/check.h"
#include "probes/kind.h"

namespace canary::daemon {

inline CheckedProbe a_probe(std::string name, std::vector<probes::Finding> findings,
                            char const* kind = "tcp") {
  CheckedProbe probe{.spec = {.name = {name},
                              .repository = std::move(name),
                              .kind = probes::find_kind(kind)->spec()},
                     .complete = true,
                     .duration = std::chrono::milliseconds{1'500}};
  probe.report.findings = std::move(findings);
  return probe;
}

inline probes::Finding a_finding(probes::Severity severity, std::string message,
                                 std::string check = "banner") {
  return {
      .check = std::move(check),
      .subject = "host:873",
      .severity = severity,
      .reason = severity == probes::Severity::ok ? probes::Reason::none : probes::Reason::connect,
      .message = std::move(message)};
}

}  // namespace canary::daemon

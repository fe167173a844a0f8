// SPDX-License-Identifier: Apache-2.0
#include "probes/clock_doubt.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "config/duration.h"

namespace canary::probes {
namespace {

using Name = std::pair<std::string, std::string>;  // check and subject

Name name_of(Finding const& finding) { return {finding.check.text(), finding.subject.text()}; }

}  // namespace

void doubt(std::vector<Finding>& found, std::vector<Finding> const& at_their_time,
           fetch::ClockVerdict const& off) {
  auto const by = std::chrono::round<std::chrono::minutes>(off.by.theirs_minus_ours);
  std::string const words =
      config::to_text(std::chrono::milliseconds{std::chrono::abs(by)}) +
      (by < std::chrono::minutes{0} ? " (ours is ahead)" : " (ours is behind)");
  // Several of one name are in the same order.
  std::map<Name, std::vector<Severity>> then;
  for (Finding const& each : at_their_time) then[name_of(each)].push_back(each.severity);
  std::map<Name, std::size_t> taken;
  for (Finding& finding : found) {
    auto const name = name_of(finding);
    auto const& severities = then[name];
    auto const at = taken[name]++;
    Severity const theirs = at < severities.size() ? severities[at] : Severity::ok;
    if (finding.severity == theirs) continue;
    finding.severity = Severity::unknown;
    finding.reason = Reason::clock;
    finding.message += "; this cannot be told: our clock is off by " + words;
  }
  found.push_back({.check = "clock",
                   .subject = "",
                   .severity = Severity::warning,
                   .reason = Reason::clock,
                   .message = "our clock is off by " + words + ": set it (NTP)"});
}

}  // namespace canary::probes

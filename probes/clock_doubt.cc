// SPDX-License-Identifier: Apache-2.0
#include "probes/clock_doubt.h"

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "config/duration.h"
#include "runtime/deadline.h"

namespace canary::probes {
namespace {

using Name = std::pair<std::string, std::string>;  // check and subject

Name name_of(Finding const& finding) { return {finding.check.text(), finding.subject.text()}; }

// "5h (ours is behind)".
std::string words_of(fetch::ClockVerdict const& off) {
  auto const by = std::chrono::round<std::chrono::minutes>(off.by.theirs_minus_ours);
  return config::to_text(std::chrono::milliseconds{std::chrono::abs(by)}) +
         (by < std::chrono::minutes{0} ? " (ours is ahead)" : " (ours is behind)");
}

void cannot_tell(Finding& finding, fetch::ClockVerdict const& off) {
  finding.severity = Severity::unknown;
  finding.reason = Reason::clock;
  finding.message += "; this cannot be told: our clock is off by " + words_of(off);
}

}  // namespace

std::optional<fetch::ClockVerdict> heard(fetch::ClockWitnesses& clocks,
                                         std::string const& repository,
                                         fetch::ClockDifferences const& seen) {
  auto const now = runtime::Clock::now();
  clocks.add(repository, seen, now);
  return clocks.verdict(repository, fetch::kernel_clock(), now);
}

std::chrono::sys_seconds their_time(std::chrono::sys_seconds now, fetch::ClockVerdict const& off) {
  return now + std::chrono::round<std::chrono::seconds>(off.by.theirs_minus_ours);
}

void doubt_handshake(Finding& finding, std::optional<CertificateEnds> const& ends,
                     std::chrono::sys_seconds now, fetch::ClockVerdict const& off) {
  bool const ended = finding.reason == Reason::tls_expired;
  bool const lives = ends && their_time(now, off) < ends->first;
  if ((ended && lives) || finding.reason == Reason::tls_not_yet_valid) cannot_tell(finding, off);
}

void doubt(std::vector<Finding>& found, std::vector<Finding> const& at_their_time,
           fetch::ClockVerdict const& off) {
  // Several of one name are in the same order.
  std::map<Name, std::vector<Severity>> then;
  for (Finding const& each : at_their_time) then[name_of(each)].push_back(each.severity);
  std::map<Name, std::size_t> taken;
  for (Finding& finding : found) {
    auto const name = name_of(finding);
    auto const& severities = then[name];
    auto const at = taken[name]++;
    Severity const theirs = at < severities.size() ? severities[at] : Severity::ok;
    if (finding.severity != theirs) cannot_tell(finding, off);
  }
  found.push_back({.check = "clock",
                   .subject = "",
                   .severity = Severity::warning,
                   .reason = Reason::clock,
                   .message = "our clock is off by " + words_of(off) + ": set it (NTP)"});
}

}  // namespace canary::probes

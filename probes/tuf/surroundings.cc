// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/surroundings.h"

#include <algorithm>

#include "probes/tuf/findings.h"

namespace canary::tuf {

namespace {

using probes::Finding;
using probes::Severity;
using std::chrono::seconds;

seconds whole(fetch::ClockDifference const& difference) {
  return std::chrono::round<seconds>(difference.theirs_minus_ours);
}

// "200 days (ours is ahead)".
std::string words_of(fetch::ClockDifference const& difference) {
  auto const theirs = std::chrono::round<std::chrono::minutes>(difference.theirs_minus_ours);
  return words(std::chrono::abs(theirs)) +
         (theirs < std::chrono::minutes{0} ? " (ours is ahead)" : " (ours is behind)");
}

probes::ThingFacts const* facts_of(probes::Report const& report, std::string const& role) {
  auto const& things = report.measurements.things;
  auto const found =
      std::ranges::find_if(things, [&](auto const& facts) { return facts.name == role; });
  return found == things.end() ? nullptr : &*found;
}

Severity expiry_at(probes::ThingFacts const& facts, std::chrono::sys_seconds now) {
  probes::Expiry const& expiry = *facts.expiry;
  return expiry_finding(facts.name, expiry.at, now, {expiry.warning, expiry.critical}).severity;
}

// Would this be judged otherwise at that other time?
bool depends_on_clock(Finding const& finding, probes::Report const& report,
                      std::chrono::sys_seconds other) {
  if (finding.check == kExpiry) {
    auto const* const facts = facts_of(report, finding.subject);
    return facts != nullptr && expiry_at(*facts, other) != finding.severity;
  }
  auto const& ends = report.measurements.certificates;
  if (finding.reason == probes::Reason::tls_expired) return ends && other < ends->first;
  return finding.reason == probes::Reason::tls_not_yet_valid;
}

// The server that differs most, of those where it matters.
fetch::ClockDifferences::value_type const* worst_of(fetch::ClockDifferences const& clocks) {
  fetch::ClockDifferences::value_type const* worst = nullptr;
  for (auto const& one : clocks) {
    if (!one.second.matters()) continue;
    if (worst == nullptr ||
        std::chrono::abs(whole(one.second)) > std::chrono::abs(whole(worst->second))) {
      worst = &one;
    }
  }
  return worst;
}

}  // namespace

void add_clocks(probes::Report& report, fetch::Totals const& totals,
                std::optional<fetch::ClockVerdict> const& off, std::chrono::sys_seconds now) {
  auto const* const worst = worst_of(totals.clocks);
  for (Finding& finding : report.findings) {
    if (off && depends_on_clock(finding, report, now + whole(off->by))) {
      finding.severity = Severity::unknown;
      finding.reason = probes::Reason::clock;
      finding.message += "; this cannot be told: our clock is off by " + words_of(off->by);
    } else if (worst != nullptr && finding.check == kExpiry &&
               (finding.severity != Severity::ok ||
                depends_on_clock(finding, report, now + whole(worst->second)))) {
      finding.message +=
          "; our clock and the Date of " + worst->first + " differ by " + words_of(worst->second);
    }
  }
  if (!off) return;
  std::string const kernel =
      off->kernel ? ", and the kernel says that nothing keeps our clock right" : "";
  report.findings.push_back(
      {.check = std::string(kClock),
       .subject = "",
       .severity = Severity::warning,
       .reason = probes::Reason::clock,
       .message = "our clock is off by " + words_of(off->by) + ": set it (NTP)" + kernel,
       .evidence = count(off->witnesses, "independent server") + " agree" +
                   (off->witnesses == 1 ? "s" : "")});
}

}  // namespace canary::tuf

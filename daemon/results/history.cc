// SPDX-License-Identifier: Apache-2.0
// The rules by which runs become the state of a probe.
#include "daemon/results/history.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace canary::daemon {
namespace {

using probes::Reason;
using probes::Severity;

bool is_failure(Severity severity) {
  return severity == Severity::critical || severity == Severity::unknown;
}

std::chrono::milliseconds between(SysTime from, SysTime to) {
  return std::max(std::chrono::milliseconds{0},
                  to - from);  // the wall clock may have been set back
}

}  // namespace

probes::Finding const* telling_finding(probes::Report const& report) {
  Severity const worst = report.severity();
  if (worst == Severity::ok) return nullptr;
  probes::Finding const* first = nullptr;
  for (auto const& finding : report.findings) {
    if (finding.counted() != worst) continue;
    if (probes::is_tampering(finding.reason)) return &finding;
    if (first == nullptr) first = &finding;
  }
  return first;
}

History::History(ProbeFacts facts) { row_.facts = std::move(facts); }

void History::started(SysTime at) {
  row_.last_run_start = at;
  row_.in_flight_since = at;
}

void History::reconfigured(ProbeFacts facts) {
  if (facts.url != row_.facts.url) {
    row_.open = std::make_shared<OpenFindings const>();
    row_.known = std::make_shared<Known const>();
  }
  row_.facts = std::move(facts);
}

void History::restore(SavedState saved) {
  if (saved.url != row_.facts.url) return;
  row_.severity = saved.severity;
  row_.since = saved.since;
  row_.consecutive_failures = saved.consecutive_failures;
  row_.recent = std::move(saved.recent);
  if (saved.trust_dropped) {
    row_.trust_dropped = std::make_shared<TrustDropped const>(std::move(*saved.trust_dropped));
  }
  row_.last_run_end = saved.last_run_end;
  row_.last_success = saved.last_success;
  row_.last_failure = saved.last_failure;
  if (saved.last_failure_finding) {
    row_.last_failure_reason = saved.last_failure_finding->reason;
    row_.last_failure_finding =
        std::make_shared<probes::Finding const>(std::move(*saved.last_failure_finding));
  }
  row_.open = std::make_shared<OpenFindings const>(std::move(saved.open));
  row_.known = std::make_shared<Known const>(std::move(saved.known));
}

void History::count(SysTime at, probes::Report const& report, probes::Finding const* telling) {
  ++row_.runs;
  row_.bytes_received += report.measurements.bytes_received;
  row_.requests += report.measurements.requests;
  row_.retries += report.measurements.retries;
  if (telling == nullptr || !is_failure(telling->severity)) {
    row_.consecutive_failures = 0;
    row_.last_success = at;
    return;
  }
  auto const counted = std::ranges::find(row_.failures, telling->reason,
                                         [](auto const& each) { return each.first; });
  if (counted == row_.failures.end()) {
    row_.failures.emplace_back(telling->reason, 1);
  } else {
    ++counted->second;
  }
  ++row_.consecutive_failures;
  row_.last_failure = at;
  row_.last_failure_reason = telling->reason;
  row_.last_failure_finding = std::make_shared<probes::Finding const>(*telling);
}

Changes History::finished(SysTime at, std::chrono::nanoseconds duration, probes::Report report) {
  // What is not ok has a reason; one without is a defect of the probe.
  for (auto& finding : report.findings) {
    if (finding.severity != Severity::ok && finding.reason == Reason::none) {
      finding.reason = Reason::internal;
    }
  }
  Severity const severity = report.severity();
  probes::Finding const* const telling = telling_finding(report);
  row_.in_flight_since.reset();
  row_.last_run_end = at;
  row_.last_duration = duration;
  row_.durations.observe(duration);
  count(at, report, telling);
  row_.recent.add(static_cast<char>('0' + static_cast<int>(severity)));

  Changes changes{.probe = row_.facts.name, .url = row_.facts.url};
  if (row_.severity != severity) {
    auto& state = changes.state.emplace(StateChange{.from = row_.severity, .to = severity});
    if (telling != nullptr) state.telling = *telling;
    if (row_.severity) state.after = between(row_.since, at);
    row_.severity = severity;
    row_.since = at;
  }
  auto open = std::make_shared<OpenFindings const>(open_after(*row_.open, report));
  changes.findings = changes_between(*row_.open, *open);
  row_.open = std::move(open);
  auto known = std::make_shared<Known const>(merged(*row_.known, report, at));
  changes.facts = differ(*row_.known, *known);
  if (changes.facts) changes.versions = versions_between(*row_.known, *known);
  row_.known = std::move(known);
  row_.last_report = std::make_shared<probes::Report const>(std::move(report));
  return changes;
}

}  // namespace canary::daemon

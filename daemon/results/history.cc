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

// Somebody changed what they must not be able to change.
bool is_tampering(Reason reason) {
  return reason == Reason::rollback || reason == Reason::signature || reason == Reason::threshold ||
         reason == Reason::hash_mismatch || reason == Reason::equivocation;
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
    if (is_tampering(finding.reason)) return &finding;
    if (first == nullptr) first = &finding;
  }
  return first;
}

History::History(ProbeFacts facts) { row_.facts = std::move(facts); }

void History::started(SysTime at) {
  row_.last_run_start = at;
  row_.in_flight_since = at;
}

std::optional<StateChange> History::finished(SysTime at, std::chrono::nanoseconds duration,
                                             probes::Report report) {
  Severity const severity = report.severity();
  probes::Finding const* const telling = telling_finding(report);

  row_.in_flight_since.reset();
  row_.last_run_end = at;
  row_.last_duration = duration;
  row_.durations.observe(duration);
  ++row_.runs;
  row_.bytes_received += report.measurements.bytes_received;
  row_.requests += report.measurements.requests;
  row_.retries += report.measurements.retries;
  if (is_failure(severity)) {
    // A failed run always has a reason; one without is a defect of the probe.
    Reason const reason = telling->reason == Reason::none ? Reason::internal : telling->reason;
    ++row_.failures[static_cast<std::size_t>(reason)];
    ++row_.consecutive_failures;
    row_.last_failure = at;
    row_.last_failure_reason = reason;
    row_.last_failure_message = telling->message;
  } else {
    row_.consecutive_failures = 0;
    row_.last_success = at;
  }

  std::optional<StateChange> change;
  if (row_.severity != severity) {
    change.emplace();
    change->probe = row_.facts.name;
    change->from = row_.severity;
    change->to = severity;
    if (telling != nullptr) {
      change->reason = telling->reason;
      change->check = telling->check;
      change->message = telling->message;
      change->evidence = telling->evidence;
    }
    if (row_.severity) change->after = between(row_.since, at);
    row_.severity = severity;
    row_.since = at;
  }
  row_.last_report = std::make_shared<probes::Report const>(std::move(report));
  return change;
}

}  // namespace canary::daemon

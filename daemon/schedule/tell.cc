// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/tell.h"

#include <string>
#include <string_view>

#include "config/duration.h"

namespace canary::daemon {
namespace {

using probes::Finding;

std::string_view subject_of(Finding const& finding) {
  if (finding.subject.empty()) return "the whole repository";
  return finding.subject;
}

// The URL that was asked, else where the repository is.
std::string_view url_of(Finding const& finding, Changes const& changes) {
  return finding.url.empty() ? changes.url : finding.url;
}

// "until 2027-01-01T00:00:00Z: the vendor knows"; empty, so left out, where it is not accepted.
std::string acceptance(Finding const& finding) {
  if (!finding.accepted) return {};
  return "until " + config::to_text(finding.accepted->until) + ": " + finding.accepted->because;
}

std::string was(FindingChange const& change) {
  if (change.kind == FindingChange::Kind::opened) return {};
  std::string text{to_text(change.was)};
  text.append(", ").append(to_text(change.was_reason));
  return change.was_accepted ? text + ", accepted" : text;
}

void tell_state(Log& log, Changes const& changes) {
  StateChange const& state = *changes.state;
  std::string_view const from = state.from ? to_text(*state.from) : "not looked at before";
  LogValue const after = state.from ? LogValue{state.after} : LogValue{""};  // left out
  if (!state.telling) {
    log.info("probe changed state", {{"probe", changes.probe},
                                     {"from", from},
                                     {"to", to_text(state.to)},
                                     {"after", after},
                                     {"url", changes.url}});
    return;
  }
  Finding const& finding = *state.telling;
  log.warn("probe changed state", {{"probe", changes.probe},
                                   {"from", from},
                                   {"to", to_text(state.to)},
                                   {"after", after},
                                   {"check", finding.check},
                                   {"subject", subject_of(finding)},
                                   {"reason", to_text(finding.reason)},
                                   {"detail", finding.message},
                                   {"evidence", evidence_beside(finding)},
                                   {"url", url_of(finding, changes)}});
}

void tell_finding(Log& log, FindingChange const& change, Changes const& changes) {
  Finding const& finding = change.finding;
  if (change.kind == FindingChange::Kind::closed) {
    log.info("finding closed", {{"probe", changes.probe},
                                {"check", finding.check},
                                {"subject", subject_of(finding)},
                                {"was", to_text(finding.severity)},
                                {"reason", to_text(finding.reason)},
                                {"url", url_of(finding, changes)}});
    return;
  }
  bool const opened = change.kind == FindingChange::Kind::opened;
  log.warn(opened ? "finding opened" : "finding changed", {{"probe", changes.probe},
                                                           {"check", finding.check},
                                                           {"subject", subject_of(finding)},
                                                           {"severity", to_text(finding.severity)},
                                                           {"reason", to_text(finding.reason)},
                                                           {"was", was(change)},
                                                           {"accepted", acceptance(finding)},
                                                           {"detail", finding.message},
                                                           {"evidence", evidence_beside(finding)},
                                                           {"url", url_of(finding, changes)}});
}

}  // namespace

void tell(Log& log, Changes const& changes) {
  if (changes.state) tell_state(log, changes);
  // What the line of the state says is not said twice.
  auto const said = [&](FindingChange const& change) {
    return changes.state && changes.state->telling && *changes.state->telling == change.finding &&
           change.kind != FindingChange::Kind::closed;
  };
  std::size_t named = 0, more = 0;
  for (auto const& change : changes.findings) {
    if (said(change)) continue;
    if (named == kFindingsNamed) {
      ++more;
    } else {
      tell_finding(log, change, changes);
      ++named;
    }
  }
  if (more == 0) return;
  log.warn("and " + std::to_string(more) + " more findings opened, changed or closed",
           {{"probe", changes.probe}, {"url", changes.url}});
}

}  // namespace canary::daemon

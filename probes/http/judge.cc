// SPDX-License-Identifier: Apache-2.0
// Of the answer as a whole.
// Thread: any (pure).
#include "probes/http/judge.h"

#include <algorithm>
#include <utility>

#include "probes/certificate_end.h"
#include "probes/fetched.h"
#include "probes/http/declaration.h"

namespace canary::http {
namespace {

using fetch::FaultKind;
using probes::Finding;
using probes::Reason;
using probes::Severity;

constexpr std::size_t kShown = 120;  // bytes of a body

std::string expected_statuses(Spec const& spec) {
  std::string text;
  for (auto const& each : spec.status) text += (text.empty() ? "" : ", ") + each;
  return text;
}

bool wants(Spec const& spec, int status) {
  return std::ranges::any_of(spec.statuses(),
                             [&](auto const& range) { return range.contains(status); });
}

// Those that say "not now" or "who are you" say nothing of what is asked for.
Severity severity_of(int status) {
  bool const unclear = status == 401 || status == 407 || status == 408 || status == 429;
  return unclear ? Severity::unknown : Severity::critical;
}

Finding status_finding(Spec const& spec, Answer const& answer) {
  auto const& response = answer.response;
  Finding finding{.check = std::string{kStatus}, .subject = spec.location()};
  if (response.final_url.scheme() == config::Scheme::file) {
    finding.message = "the file is there";
    if (wants(spec, response.status)) return finding;
    finding.severity = Severity::critical;
    finding.reason = Reason::http_status;
    finding.message += ", expected " + expected_statuses(spec);
    finding.expected = "status " + expected_statuses(spec);
    finding.received = "a file";
    return finding;
  }
  finding.message = "the server answers " + std::to_string(response.status);
  finding.evidence = "from " + response.peer;
  if (wants(spec, response.status)) return finding;
  finding.severity = severity_of(response.status);
  finding.reason = Reason::http_status;
  finding.message += ", expected " + expected_statuses(spec);
  finding.expected = "status " + expected_statuses(spec);
  finding.received = std::to_string(response.status);
  if (response.attempts > 1) {
    finding.message += ", after " + std::to_string(response.attempts) + " attempts";
  }
  auto const begin = std::string_view{answer.text}.substr(0, kShown);
  if (!begin.empty()) finding.message += ": \"" + std::string{begin} + "\"";
  return finding;
}

// One for the way that was gone; nothing where there was none and none is expected.
std::vector<Finding> redirect_findings(Spec const& spec, Answer const& answer) {
  auto const& way = answer.response.redirects;
  bool const expects = spec.redirects >= 0 || spec.final_url;
  if (way.empty() && !expects) return {};
  std::string text = way.empty() ? "no redirects" : "";
  for (auto const& each : way) {
    text += (text.empty() ? "" : ", then ") + std::to_string(each.status) + " to " + each.to.text();
  }
  Finding finding{.check = std::string{kRedirects}, .subject = spec.location(), .message = text};
  std::string expected;
  if (spec.redirects >= 0 && way.size() != static_cast<std::size_t>(spec.redirects)) {
    expected = std::to_string(spec.redirects) + " of them";
  }
  if (spec.final_url && answer.response.final_url != *spec.final_url) {
    expected += (expected.empty() ? "to end at " : ", to end at ") + spec.final_url->text();
  }
  if (expected.empty()) return {finding};
  finding.severity = Severity::critical;
  finding.reason = kMismatch;
  finding.message += ", expected " + expected;
  finding.expected = std::move(expected);
  finding.received = std::move(text);
  return {finding};
}

std::string_view check_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::status:
      return kStatus;
    case FaultKind::redirect_loop:
    case FaultKind::redirect_refused:
      return kRedirects;
    case FaultKind::too_large:
      return kBody;
    case FaultKind::wrong_length:
    case FaultKind::truncated:
    case FaultKind::encoded:
    case FaultKind::malformed:
    case FaultKind::rejected:
      return kAnswer;
    default:
      return "reachable";
  }
}

}  // namespace

std::vector<Finding> judge(Spec const& spec, Answer const& answer) {
  std::vector<Finding> found{status_finding(spec, answer)};
  for (Finding& each : redirect_findings(spec, answer)) found.push_back(std::move(each));
  if (found.front().severity != Severity::ok) return found;
  for (Finding& each : judge_headers(spec, answer)) found.push_back(std::move(each));
  for (Finding& each : judge_body(spec, answer)) found.push_back(std::move(each));
  return found;
}

Finding judge(Spec const& spec, fetch::Fault const& fault) {
  Finding finding{.check = std::string{check_of(fault.kind)},
                  .subject = spec.location(),
                  .severity = fault.answered ? Severity::critical : Severity::unknown,
                  .reason = probes::reason_of(fault),
                  .message = fault.message,
                  .url = fault.url};
  if (finding.url.text() == finding.subject.text()) finding.url = {};
  if (fault.kind == FaultKind::status) {
    // A file that is not there, or a status that was asked for again until the time was up.
    finding.severity = wants(spec, fault.status) ? Severity::ok : severity_of(fault.status);
    if (finding.severity == Severity::ok) {
      finding.reason = Reason::none;
    } else {
      finding.expected = "status " + expected_statuses(spec);
      finding.received = std::to_string(fault.status);
    }
  }
  if (fault.kind == FaultKind::too_large) {
    // More than is expected is bad, more than we read is our own limit.
    bool const bad = spec.max_size > 0 && spec.max_size <= spec.max_bytes;
    finding.severity = bad ? Severity::critical : Severity::unknown;
    finding.message += bad ? " (max_size)" : " (max_bytes)";
  }
  return finding;
}

std::vector<Finding> judge_certificates(Spec const& spec, fetch::Totals const& totals,
                                        std::chrono::sys_seconds now,
                                        probes::Measurements& measured) {
  std::vector<Finding> found;
  for (auto const& [server, validity] : totals.certificates) {
    auto const expiry = probes::expiry_of(validity, spec.expiry);
    measured.things.push_back({.type = &kCertificate, .name = server, .expiry = expiry});
    found.push_back(probes::certificate_finding(server, validity, expiry, now));
  }
  return found;
}

}  // namespace canary::http

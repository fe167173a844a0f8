// SPDX-License-Identifier: Apache-2.0
#include "probes/report.h"

#include <utility>

namespace canary::probes {
namespace {

// How bad each severity is: a repository known to be bad outranks one that could not be checked.
int rank(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return 0;
    case Severity::warning:
      return 1;
    case Severity::unknown:
      return 2;
    case Severity::critical:
      return 3;
  }
  return 3;
}

}  // namespace

std::string_view to_text(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::warning:
      return "warning";
    case Severity::critical:
      return "critical";
    case Severity::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view evidence_beside(Finding const& finding) {
  std::string_view evidence = finding.evidence;
  std::string_view const message = finding.message;
  if (evidence == finding.subject.text()) return {};
  if (evidence.ends_with(message)) evidence.remove_suffix(message.size());
  if (evidence.ends_with(": ")) evidence.remove_suffix(2);
  return message.find(evidence) != message.npos ? std::string_view{} : evidence;
}

std::string sentence(Finding const& finding) {
  std::string text;
  bool const named = finding.message.text().find(finding.subject.text()) != std::string::npos;
  if (!named) text += finding.subject + ": ";
  text += finding.message.text();
  auto const more = evidence_beside(finding);
  if (!more.empty()) text.append(" [").append(more).append("]");
  return text;
}

Severity worse(Severity a, Severity b) { return rank(a) >= rank(b) ? a : b; }

double& Measurements::sample(SampleFamily const& family, std::string_view label) {
  for (auto& known : samples) {
    if (known.family == &family && known.label == label) return known.value;
  }
  return samples.emplace_back(Sample{.family = &family, .label = label}).value;
}

double Measurements::value(SampleFamily const& family, std::string_view label) const {
  for (auto const& known : samples) {
    if (known.family == &family && known.label == label) return known.value;
  }
  return 0;
}

Severity Report::severity() const {
  Severity result = Severity::ok;
  for (auto const& finding : findings) result = worse(result, finding.counted());
  return result;
}

Finding const* Report::worst() const {
  Finding const* result = nullptr;
  for (auto const& finding : findings) {
    if (finding.counted() == Severity::ok) continue;
    if (result == nullptr || rank(finding.severity) > rank(result->severity)) result = &finding;
  }
  return result;
}

std::string Report::stood_at() const {
  if (step.empty()) return {};
  return "; it was at " + step + (step_url.empty() ? "" : " (" + step_url + ")");
}

}  // namespace canary::probes

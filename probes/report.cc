// SPDX-License-Identifier: Apache-2.0
#include "probes/report.h"

#include <algorithm>
#include <array>
#include <utility>

#include "config/finding_words.h"

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

constexpr std::array<std::pair<Reason, std::string_view>, 31> kReasons{{
    {Reason::none, "none"},
    {Reason::dns, "dns"},
    {Reason::connect, "connect"},
    {Reason::tls, "tls"},
    {Reason::tls_expired, "tls_expired"},
    {Reason::tls_not_yet_valid, "tls_not_yet_valid"},
    {Reason::tls_wrong_name, "tls_wrong_name"},
    {Reason::tls_untrusted, "tls_untrusted"},
    {Reason::credentials, "credentials"},
    {Reason::clock, "clock"},
    {Reason::proxy, "proxy"},
    {Reason::http_status, "http_status"},
    {Reason::timeout, "timeout"},
    {Reason::too_slow, "too_slow"},
    {Reason::stalled, "stalled"},
    {Reason::cancelled, "cancelled"},
    {Reason::size_limit, "size_limit"},
    {Reason::parse, "parse"},
    {Reason::signature, "signature"},
    {Reason::threshold, "threshold"},
    {Reason::expired, "expired"},
    {Reason::expiring, "expiring"},
    {Reason::rollback, "rollback"},
    {Reason::freeze, "freeze"},
    {Reason::equivocation, "equivocation"},
    {Reason::hash_mismatch, "hash_mismatch"},
    {Reason::target_missing, "target_missing"},
    {Reason::metadata_missing, "metadata_missing"},
    {Reason::unsupported, "unsupported"},
    {Reason::configuration, "configuration"},
    {Reason::internal, "internal"},
}};

static_assert(std::ranges::all_of(kReasons,
                                  [](auto const& reason) {
                                    return reason.first == Reason::none ||
                                           config::is_one_of(config::kReasonWords, reason.second);
                                  }),
              "name the reason in config/finding_words.h, too: `accept` reads it");
static_assert(config::kReasonWords.size() + 1 == kReasons.size(), "no such reason");

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

std::string_view to_text(Reason reason) {
  auto const* const found =
      std::ranges::find(kReasons, reason, &std::pair<Reason, std::string_view>::first);
  return found == kReasons.end() ? "internal" : found->second;
}

std::vector<Reason> const& all_reasons() {
  static std::vector<Reason> const all = [] {
    std::vector<Reason> reasons;
    for (auto const& [reason, name] : kReasons) {
      if (reason != Reason::none) reasons.push_back(reason);
    }
    return reasons;
  }();
  return all;
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

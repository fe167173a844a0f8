// SPDX-License-Identifier: Apache-2.0
// Marking and grouping.
// Thread: none (one run's).
#include "probes/collector.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/duration.h"
#include "config/star_pattern.h"

namespace canary::probes {
namespace {

// The check under which entries of `accept` are told that nothing was meant by.
constexpr std::string_view kAccept = "accept";
constexpr std::size_t kSubjectsInASum = 3;  // spelled out

bool covers(config::AcceptSpec::Worst worst, Severity severity) {
  switch (severity) {
    case Severity::ok:
      return false;
    case Severity::warning:
      return true;
    case Severity::unknown:
      return worst != config::AcceptSpec::Worst::warning;
    case Severity::critical:
      return worst == config::AcceptSpec::Worst::critical;
  }
  return false;
}

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The message without what differs from subject to subject: the subject itself and every word with
// a digit in it (numbers, dates, hashes).
std::string shape(std::string_view message, std::string_view subject) {
  std::string result;
  std::size_t at = 0;
  while (at < message.size()) {
    std::size_t const behind = at + subject.size();
    bool const whole = behind >= message.size() || !is_word(message[behind]);
    if (!subject.empty() && whole && message.substr(at).starts_with(subject)) {
      result += '#';
      at = behind;
      continue;
    }
    std::size_t end = at;
    while (end < message.size() && is_word(message[end])) ++end;
    if (end == at) {
      result += message[at++];
      continue;
    }
    std::string_view const word = message.substr(at, end - at);
    bool const number = word.find_first_of("0123456789") != std::string_view::npos;
    result += number ? std::string_view{"#"} : word;
    at = end;
  }
  return result;
}

}  // namespace

Collector::Collector(Report& report, std::vector<config::AcceptSpec> const& accept,
                     std::chrono::sys_seconds now)
    : report_(report), now_(now) {
  for (auto const& spec : accept) {
    entries_.emplace(std::pair{spec.check, spec.reason}, Entry{.spec = &spec});
  }
}

Collector::~Collector() {
  std::vector<bool> gone(report_.findings.size(), false);
  for (auto const& [like, group] : groups_) {
    if (group.size <= group.places.size()) continue;
    Finding sum = sum_up(group);
    for (std::size_t const place : group.places) gone[place] = true;
    gone[group.places.front()] = false;
    report_.findings[group.places.front()] = std::move(sum);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (gone[i]) continue;
    if (kept != i) report_.findings[kept] = std::move(report_.findings[i]);
    ++kept;
  }
  report_.findings.resize(kept);
}

void Collector::add(Finding finding, std::uint64_t times) {
  if (finding.severity == Severity::ok) {
    report_.findings.push_back(std::move(finding));
    return;
  }
  mark(finding);
  if (!finding.subject.empty()) {
    Likeness like{finding.check, finding.severity, finding.reason,
                  groups_.size() < kMostGroups ? shape(finding.message, finding.subject) : "",
                  finding.accepted ? finding.accepted->because.text() : std::string{}};
    Group& group = groups_[std::move(like)];
    group.size += times;
    if (!group.places.empty()) {
      Finding const& first = report_.findings[group.places.front()];
      group.same_message = group.same_message && first.message == finding.message;
    }
    bool const target = std::string_view{finding.check} == "targets";
    if (group.places.size() == (target ? kTargetsNamed : kSubjectsNamed)) return;
    group.places.push_back(report_.findings.size());
  }
  report_.findings.push_back(std::move(finding));
}

void Collector::mark(Finding& finding) {
  auto const [begin, end] =
      entries_.equal_range({finding.check, std::string{to_text(finding.reason)}});
  for (auto at = begin; at != end; ++at) {
    config::AcceptSpec const& spec = *at->second.spec;
    if (!config::matches_stars(spec.subject, finding.subject)) continue;
    at->second.met = true;
    std::string message = finding.message;
    if (!covers(spec.worst, finding.severity)) {
      message += " (accepted as a ";
      message += spec.worst == config::AcceptSpec::Worst::warning ? "warning" : "could-not-tell";
      message += " only, which this is not)";
    } else if (spec.until <= now_) {
      message += " (accepted until " + config::to_text(spec.until) + ", which is over: ";
      message += spec.because + ")";
    } else {
      finding.accepted = Acceptance{.because = spec.because, .until = spec.until};
      return;
    }
    finding.message = std::move(message);
    return;
  }
}

void Collector::complete() {
  for (auto const& [check_and_reason, entry] : entries_) {
    if (entry.met) continue;
    std::string evidence = "until " + config::to_text(entry.spec->until);
    evidence += ": " + entry.spec->because;
    report_.findings.push_back(
        {.check = std::string{kAccept},
         .subject = entry.spec->finding(),
         .message = "nothing to accept: no finding of this run is meant by this entry of accept",
         .evidence = std::move(evidence)});
  }
}

Finding Collector::sum_up(Group const& group) const {
  Finding sum = report_.findings[group.places.front()];
  std::string subjects;
  std::size_t const named = std::min(kSubjectsInASum, group.places.size());
  for (std::size_t i = 0; i < named; ++i) {
    if (i > 0) subjects += ", ";
    subjects += std::string_view{report_.findings[group.places[i]].subject};
  }
  subjects += " and " + std::to_string(group.size - named) + " more";
  std::string message = sum.message;
  message += " (" + std::to_string(group.size) + " alike";
  if (!group.same_message) {
    message += "; this is ";
    message += std::string_view{sum.subject};
  }
  sum.subject = std::move(subjects);
  sum.message = std::move(message) + ")";
  return sum;
}

}  // namespace canary::probes

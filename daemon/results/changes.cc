// SPDX-License-Identifier: Apache-2.0
#include "daemon/results/changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace canary::daemon {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Severity;

constexpr std::array kWorstFirst{Severity::critical, Severity::unknown, Severity::warning};

using Place = std::pair<std::string_view, std::string_view>;  // check and subject

Place place_of(Finding const& finding) { return {finding.check, finding.subject}; }

// Those of `before` that a report has nothing to say about, well or not. An ok finding of a check
// as a whole stands for each of its subjects.
std::vector<Finding const*> not_looked_at(OpenFindings const& before,
                                          probes::Report const& report) {
  std::set<Place> places;
  for (auto const& finding : before.findings) places.insert(place_of(finding));
  std::set<Place> found;
  std::set<std::string_view> whole_checks;
  for (auto const& finding : report.findings) {
    if (finding.subject.empty()) whole_checks.insert(finding.check);
    if (places.contains(place_of(finding))) found.insert(place_of(finding));
  }
  std::vector<Finding const*> result;
  for (auto const& finding : before.findings) {
    if (finding.severity == Severity::unknown || whole_checks.contains(finding.check)) continue;
    if (!found.contains(place_of(finding))) result.push_back(&finding);
  }
  return result;
}

void keep(OpenFindings& into, Finding const& finding) {
  ++into.total;
  if (into.findings.size() == kOpenKept) return;
  into.findings.push_back(finding);
  // A finding without a reason is a defect of the probe.
  Reason& reason = into.findings.back().reason;
  if (reason == Reason::none) reason = Reason::internal;
}

// Of each place the findings in order, to be paired one by one.
using ByPlace = std::map<Place, std::vector<Finding const*>>;

ByPlace by_place(OpenFindings const& open) {
  ByPlace result;
  for (auto const& finding : open.findings) result[place_of(finding)].push_back(&finding);
  return result;
}

bool same(Finding const& a, Finding const& b) {
  return a.severity == b.severity && a.reason == b.reason &&
         a.accepted.has_value() == b.accepted.has_value();
}

// Takes from both what is the same in both.
void take_same(std::vector<Finding const*>& before, std::vector<Finding const*>& after) {
  std::erase_if(after, [&](Finding const* now) {
    auto const was =
        std::ranges::find_if(before, [&](auto const* old) { return same(*old, *now); });
    if (was == before.end()) return false;
    before.erase(was);
    return true;
  });
}

}  // namespace

OpenFindings open_after(OpenFindings const& before, probes::Report const& report) {
  std::vector<Finding const*> older;
  if (!report.complete && !before.findings.empty()) older = not_looked_at(before, report);
  OpenFindings after;
  for (auto const severity : kWorstFirst) {
    for (auto const& finding : report.findings) {
      if (finding.severity == severity) keep(after, finding);
    }
    for (auto const* finding : older) {
      if (finding->severity == severity) keep(after, *finding);
    }
  }
  return after;
}

std::vector<FindingChange> changes_between(OpenFindings const& before, OpenFindings const& after) {
  using Kind = FindingChange::Kind;
  std::vector<FindingChange> changes;
  ByPlace old = by_place(before);
  ByPlace now = by_place(after);
  for (auto& [place, findings] : now) {
    auto& were = old[place];
    take_same(were, findings);
    for (std::size_t i = 0; i < findings.size(); ++i) {
      if (i < were.size()) {
        changes.push_back({Kind::changed, *findings[i], were[i]->severity, were[i]->reason,
                           were[i]->accepted.has_value()});
      } else if (!before.cut()) {
        changes.push_back({.kind = Kind::opened, .finding = *findings[i]});
      }
    }
    were.erase(were.begin(),
               were.begin() + static_cast<std::ptrdiff_t>(std::min(were.size(), findings.size())));
  }
  for (auto const& [place, findings] : old) {
    if (after.cut()) break;
    for (auto const* finding : findings) {
      changes.push_back({.kind = Kind::closed, .finding = *finding});
    }
  }
  auto const order = [](FindingChange const& change) {
    auto const severity = std::ranges::find(kWorstFirst, change.finding.severity);
    return std::pair{change.kind, severity - kWorstFirst.begin()};
  };
  std::ranges::sort(changes, [&](FindingChange const& a, FindingChange const& b) {
    return std::tuple{order(a), place_of(a.finding)} < std::tuple{order(b), place_of(b.finding)};
  });
  return changes;
}

}  // namespace canary::daemon

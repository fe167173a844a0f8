// SPDX-License-Identifier: Apache-2.0
#include "probes/steps.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "probes/kind.h"

namespace canary::probes {
namespace {

using Verdict = StepOutcome::Verdict;

Verdict verdict_of(Severity severity) {
  constexpr std::array kVerdicts{Verdict::ok, Verdict::warning, Verdict::critical,
                                 Verdict::unknown};
  return kVerdicts[static_cast<std::size_t>(severity)];
}

bool stops(Finding const& finding) {
  return finding.counted() == Severity::critical || finding.counted() == Severity::unknown;
}

bool has_something(StepOutcome const& outcome) {
  return !outcome.findings.empty() || !outcome.things.empty();
}

// The worst first, else in their order.
void sort(std::vector<Finding const*>& findings) {
  std::vector<Finding const*> sorted;
  sorted.reserve(findings.size());
  for (auto const severity :
       {Severity::critical, Severity::unknown, Severity::warning, Severity::ok}) {
    for (auto const* const finding : findings) {
      if (finding->counted() == severity) sorted.push_back(finding);
    }
  }
  findings = std::move(sorted);
}

}  // namespace

std::string_view to_text(StepOutcome::Verdict verdict) {
  constexpr std::array<std::string_view, 6> kTexts{
      "ok", "warning", "critical", "could not tell", "no finding", "not reached"};
  return kTexts[static_cast<std::size_t>(verdict)];
}

std::size_t Kind::place_of(Finding const& finding) const {
  auto const steps = declaration().steps;
  auto const found = std::ranges::find(steps, std::string_view{finding.check}, &Step::check);
  return static_cast<std::size_t>(found - steps.begin());
}

std::size_t Kind::place_of(ThingFacts const& thing) const {
  auto const steps = declaration().steps;
  auto const found = std::ranges::find(steps, thing.type, &Step::things);
  return static_cast<std::size_t>(found - steps.begin());
}

std::size_t place_of(ThingFacts const& thing, std::string_view kind) {
  Kind const* const known = find_kind(kind);
  return known == nullptr ? SIZE_MAX : known->place_of(thing);
}

std::vector<StepOutcome> outcomes_of(Report const& report, std::string_view name) {
  std::vector<StepOutcome> outcomes;
  Kind const* const kind = find_kind(name);
  if (kind == nullptr) return outcomes;
  for (Step const& step : kind->declaration().steps) outcomes.push_back({.step = &step});
  std::vector<Finding const*> beside;
  for (Finding const& finding : report.findings) {
    auto const place = kind->place_of(finding);
    if (place < outcomes.size()) {
      outcomes[place].findings.push_back(&finding);
    } else if (stops(finding)) {
      beside.push_back(&finding);
    }
  }
  for (ThingFacts const& thing : report.measurements.things) {
    auto const place = kind->place_of(thing);
    if (place < outcomes.size()) outcomes[place].things.push_back(&thing);
  }
  // Behind the last step that there is something of, an incomplete run reached nothing.
  auto reached = outcomes.size();
  while (!report.complete && reached > 0 && !has_something(outcomes[reached - 1])) --reached;
  if (!report.complete && reached < outcomes.size()) {
    outcomes[reached].findings = std::move(beside);
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto& outcome = outcomes[i];
    Severity worst = Severity::ok;
    for (auto const* const finding : outcome.findings) worst = worse(worst, finding->counted());
    sort(outcome.findings);
    outcome.verdict = has_something(outcome) ? verdict_of(worst)
                      : i < reached          ? Verdict::nothing
                                             : Verdict::not_reached;
  }
  return outcomes;
}

}  // namespace canary::probes

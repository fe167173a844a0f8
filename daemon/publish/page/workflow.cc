// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/workflow.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/duration.h"
#include "daemon/publish/page/humane.h"
#include "daemon/results/things.h"
#include "probes/steps.h"

namespace canary::daemon::page {
namespace {

using Verdict = probes::StepOutcome::Verdict;

constexpr std::size_t kSentences = 3;  // of one step
constexpr std::size_t kInSight = 12;   // things; more are folded
constexpr int kDeepest = 5;            // that is drawn further in

std::string_view class_of(Verdict verdict) {
  constexpr std::array<std::string_view, 6> kClasses{"ok",      "degraded", "failing",
                                                     "unknown", "paused",   "paused"};
  return kClasses[static_cast<std::size_t>(verdict)];
}

// A thing, and how far below the first ones it stands.
struct Placed {
  KnownThing const* thing;
  int depth;
};

// Each behind what leads to it. What leads to none that is known stands first; where they lead to
// each other in a circle, they stand last.
std::vector<Placed> as_tree(std::vector<KnownThing const*> const& things) {
  std::set<std::string_view> names;
  std::map<std::string_view, std::vector<KnownThing const*>> children;
  for (auto const* const thing : things) names.insert(thing->facts.name);
  std::vector<Placed> next;  // the first of them at the end
  for (auto const* const thing : things | std::views::reverse) {
    if (names.contains(thing->facts.below)) {
      children[thing->facts.below].push_back(thing);
    } else {
      next.push_back({thing, 0});
    }
  }
  std::vector<Placed> order;
  std::set<KnownThing const*> placed;
  while (!next.empty()) {
    Placed const one = next.back();
    next.pop_back();
    if (!placed.insert(one.thing).second) continue;
    order.push_back(one);
    for (auto const* const child : children[one.thing->facts.name]) {
      next.push_back({child, one.depth + 1});
    }
  }
  for (auto const* const thing : things) {
    if (!placed.contains(thing)) order.push_back({thing, 0});
  }
  return order;
}

void add_thing(Fields& step, Placed const& placed, ProbeRow const& row, SysTime now) {
  auto const& [facts, seen] = *placed.thing;
  auto const version = version_of(facts);
  Fields& line = step.entry("things");
  line.text("thing", facts.name)
      .text("version", version ? "v" + std::to_string(*version) : "")
      .text("depth", std::to_string(std::min(placed.depth, kDeepest)))
      .text("below", facts.below)
      .text("seen", row.last_run_end && seen < *row.last_run_end ? distance(seen, now) : "")
      .text("ends", "")
      .text("at", "")
      .text("end_state", "");
  if (!facts.expiry) return;
  SysTime const at{facts.expiry->at};
  line.text("ends", (at <= now ? "ended " : "ends ") + distance(at, now))
      .text("at", config::to_text(facts.expiry->at))
      .text("end_state", at <= now                          ? "failing"
                         : at - now < facts.expiry->warning ? "degraded"
                                                            : "ok");
}

void add_things(Fields& step, std::vector<KnownThing const*> const& things, ProbeRow const& row,
                SysTime now) {
  step.list("things");
  step.text("folded", "");
  for (auto const& placed : as_tree(things)) add_thing(step, placed, row, now);
  if (things.size() > kInSight) step.text("folded", std::to_string(things.size()) + " are known");
}

// What is worth saying where all is well: not what each of many was found to be, nor when a thing
// ends, which stands beside it.
bool tells(probes::Finding const& finding, bool one_of_few) {
  if (finding.severity != probes::Severity::ok) return true;
  if (finding.check == "expiry" || finding.message.empty()) return false;
  return one_of_few || finding.subject.empty();
}

// The worst first: only what differs from the step's own verdict says how bad it is.
void add_sentences(Fields& step, std::vector<probes::Finding const*> const& findings) {
  step.list("sentences");
  step.text("more", "");
  auto const well = std::ranges::count_if(
      findings, [](auto const* each) { return each->severity == probes::Severity::ok; });
  std::size_t said = 0, left = 0;
  for (auto const* const finding : findings) {
    if (!tells(*finding, well <= 4)) continue;
    if (said == kSentences) {
      ++left;
      continue;
    }
    ++said;
    bool const named = finding->message.find(finding->subject.text()) != std::string::npos;
    bool const ok = finding->severity == probes::Severity::ok;
    bool const differs = finding->severity != findings.front()->counted();
    step.entry("sentences")
        .text("severity", ok || !differs ? "" : std::string{to_text(finding->severity)})
        .text("subject", named || ok ? "" : finding->subject.text())
        .text("sentence", finding->message);
  }
  if (left > 0) step.text("more", "and " + count(left, "further finding"));
}

}  // namespace

void add_steps(Fields& page, ProbeRow const& row, SysTime now) {
  page.list("steps");
  page.text("stood_at", "");
  if (!row.last_report) return;
  auto const outcomes = probes::outcomes_of(*row.last_report, row.facts.kind->kind);
  std::vector<std::vector<KnownThing const*>> things(outcomes.size());
  for (auto const& thing : row.known->things) {
    auto const place = probes::place_of(thing.facts, row.facts.kind->kind);
    if (place < things.size()) things[place].push_back(&thing);
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    auto const& outcome = outcomes[i];
    Fields& step = page.entry("steps");
    step.text("state", std::string{class_of(outcome.verdict)})
        .text("step_verdict", std::string{to_text(outcome.verdict)})
        .text("step", std::string{outcome.step->name})
        .text("says", std::string{outcome.step->says});
    add_things(step, things[i], row, now);
    add_sentences(step, outcome.findings);
  }
  auto const& report = *row.last_report;
  if (report.complete || report.step.empty()) return;
  page.text("stood_at", report.step.text()).text("stood_url", report.step_url.text());
}

}  // namespace canary::daemon::page

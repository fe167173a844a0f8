// SPDX-License-Identifier: Apache-2.0
// Names and look-ups of the snapshot's parts.
#include "daemon/results/snapshot.h"

#include <algorithm>

#include "config/harmless.h"

namespace canary::daemon {

std::string_view to_text(SkipReason reason) {
  switch (reason) {
    case SkipReason::overlap:
      return "overlap";
    case SkipReason::concurrency:
      return "concurrency";
    case SkipReason::paused:
      return "paused";
    case SkipReason::offline:
      return "offline";
    case SkipReason::disturbed:
      return "disturbed";
  }
  return "disturbed";
}

ProbeFacts facts_of(config::ProbeSpec const& spec, probes::Declaration const& kind) {
  return {
      .name = spec.name.text,
      .repository = make_harmless(spec.repository.empty() ? spec.name.text : spec.repository, 256),
      .kind = &kind,
      .enabled = spec.enabled,
      .interval = spec.interval,
      .timeout = spec.timeout,
      .url = spec.kind.location()};
}

std::uint64_t ProbeRow::failed_runs() const {
  std::uint64_t all = 0;
  for (auto const& [reason, count] : failures) all += count;
  return all;
}

std::uint64_t ProbeRow::failures_of(probes::Reason const& reason) const {
  auto const found =
      std::ranges::find(failures, reason, [](auto const& each) { return each.first; });
  return found == failures.end() ? 0 : found->second;
}

std::optional<bool> ProbeRow::success() const {
  if (!severity) return std::nullopt;
  return *severity == probes::Severity::ok || *severity == probes::Severity::warning;
}

ProbeRow const* Snapshot::find(std::string_view probe) const {
  auto const found = std::ranges::find_if(
      probes, [probe](ProbeRow const* row) { return row->facts.name == probe; });
  return found == probes.end() ? nullptr : *found;
}

}  // namespace canary::daemon

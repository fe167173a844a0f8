// SPDX-License-Identifier: Apache-2.0
// Names and look-ups of the snapshot's parts.
#include "daemon/results/snapshot.h"

#include <algorithm>
#include <iterator>

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

namespace {

// The host of "https://h:8443", "tls://h:443", "192.0.2.1:53" or "[::1]:53"; what is none (a
// program, a name for the system's own name servers) stays as it is.
std::string host_name(std::string_view asked) {
  constexpr std::string_view kScheme = "://";
  if (auto const scheme = asked.find(kScheme); scheme != std::string_view::npos) {
    asked.remove_prefix(scheme + kScheme.size());
    asked = asked.substr(0, asked.find('/'));
  }
  if (asked.starts_with("dns:") || asked.starts_with('/')) return std::string{asked};
  if (asked.starts_with('[')) return std::string{asked.substr(1, asked.find(']') - 1)};
  auto const colon = asked.find(':');
  bool const bare_ipv6 = colon != asked.rfind(':');
  return std::string{bare_ipv6 ? asked : asked.substr(0, colon)};
}

}  // namespace

ProbeFacts facts_of(config::ProbeSpec const& spec, probes::Declaration const& kind,
                    std::vector<config::MaintenanceWindow> const& windows) {
  ProbeFacts facts{
      .name = spec.name.text,
      .repository = make_harmless(spec.repository.empty() ? spec.name.text : spec.repository, 256),
      .kind = &kind,
      .enabled = spec.enabled,
      .interval = spec.interval,
      .timeout = spec.timeout,
      .url = spec.kind.location(),
      .host = host_name(spec.kind.host())};
  if (facts.host.empty()) facts.host = facts.name;
  facts.source = spec.source;
  std::ranges::copy_if(windows, std::back_inserter(facts.maintenance),
                       [&](auto const& window) { return window.covers(facts.name); });
  return facts;
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

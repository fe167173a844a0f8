// SPDX-License-Identifier: Apache-2.0
#include "daemon/results/maintenance.h"

namespace canary::daemon {
namespace {

constexpr std::chrono::hours kWithoutARun{1};  // after the window

std::optional<InMaintenance> latest_of(ProbeRow const& row, SysTime at) {
  auto const second = std::chrono::floor<std::chrono::seconds>(at);
  std::optional<InMaintenance> latest;
  for (auto const& window : row.facts.maintenance) {
    auto const stretch = window.holding(second);
    if (!stretch || (latest && stretch->to <= latest->until)) continue;
    latest = {stretch->to, window.reason};
  }
  return latest;
}

}  // namespace

std::optional<InMaintenance> maintenance_of(ProbeRow const& row, SysTime now) {
  if (row.facts.maintenance.empty() || !row.facts.enabled) return std::nullopt;
  if (auto holding = latest_of(row, now)) return holding;
  if (!row.last_run_start) return std::nullopt;
  auto seen = latest_of(row, *row.last_run_start);
  if (!seen || now >= seen->until + kWithoutARun) return std::nullopt;
  return seen;
}

}  // namespace canary::daemon

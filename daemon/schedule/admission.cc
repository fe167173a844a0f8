// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/admission.h"

#include <algorithm>
#include <utility>

namespace canary::daemon {

Admission::Verdict Admission::offer(Due due, std::string host) {
  if (running_.contains(due.probe)) return Verdict::overlap;
  auto const same = [&due](Waiting const& other) { return other.due.probe == due.probe; };
  if (std::ranges::any_of(waiting_, same)) return Verdict::concurrency;
  waiting_.push_back({std::move(due), std::move(host)});
  return Verdict::queued;
}

std::optional<Waiting> Admission::admit() {
  if (running_.size() >= limits_.total) return std::nullopt;
  auto const may_start = [this](Waiting const& run) {
    auto const busy = per_host_.find(run.host);
    return busy == per_host_.end() || busy->second < limits_.per_host;
  };
  auto const chosen = std::ranges::find_if(waiting_, may_start);
  if (chosen == waiting_.end()) return std::nullopt;
  Waiting run = std::move(*chosen);
  waiting_.erase(chosen);
  running_.emplace(run.due.probe, run.host);
  ++per_host_[run.host];
  return run;
}

void Admission::finished(std::string_view probe) {
  auto const run = running_.find(probe);
  if (run == running_.end()) return;
  auto const host = per_host_.find(run->second);
  if (--host->second == 0) per_host_.erase(host);
  running_.erase(run);
}

void Admission::withdraw(std::string_view probe) {
  std::erase_if(waiting_, [probe](Waiting const& run) { return run.due.probe == probe; });
}

}  // namespace canary::daemon

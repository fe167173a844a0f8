// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/admission.h"

#include <utility>

namespace canary::daemon {

void Admission::set_limits(AdmissionLimits limits) {
  limits_ = limits;
  for (auto host = hosts_.begin(); host != hosts_.end(); ++host) update_turn(host);
}

Admission::Verdict Admission::offer(Due due, std::string const& host) {
  if (is_running(due.probe)) return Verdict::overlap;
  if (waiting_.contains(due.probe)) return Verdict::concurrency;
  auto const place = hosts_.try_emplace(host).first;
  std::uint64_t const arrival = arrivals_++;
  waiting_.emplace(due.probe, Place{place, arrival});
  place->second.waiting.emplace(arrival, std::move(due));
  settle(place);
  return Verdict::queued;
}

std::optional<Waiting> Admission::admit() {
  if (running_.size() >= limits_.total || turns_.empty()) return std::nullopt;
  auto const host = turns_.begin()->second;
  auto const first = host->second.waiting.begin();
  Waiting run{std::move(first->second), host->first};
  host->second.waiting.erase(first);
  waiting_.erase(run.due.probe);
  running_.emplace(run.due.probe, host);
  ++host->second.running;
  settle(host);
  return run;
}

void Admission::finished(std::string_view probe) {
  auto const run = running_.find(probe);
  if (run == running_.end()) return;
  auto const host = run->second;
  running_.erase(run);
  --host->second.running;
  settle(host);
}

void Admission::withdraw(std::string_view probe) {
  auto const run = waiting_.find(probe);
  if (run == waiting_.end()) return;
  auto const [host, arrival] = run->second;
  waiting_.erase(run);
  host->second.waiting.erase(arrival);
  settle(host);
}

void Admission::settle(Hosts::iterator host) {
  update_turn(host);
  if (host->second.running == 0 && host->second.waiting.empty()) hosts_.erase(host);
}

void Admission::update_turn(Hosts::iterator host) {
  auto& [running, waiting, turn] = host->second;
  if (turn) turns_.erase(*turn);
  turn.reset();
  if (waiting.empty() || running >= limits_.per_host) return;
  turn = waiting.begin()->first;
  turns_.emplace(*turn, host);
}

}  // namespace canary::daemon

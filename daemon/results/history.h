// SPDX-License-Identifier: Apache-2.0
// What happens to one probe, event by event, turned into what is known of it.
// Thread: none (pure; `at` is always a parameter).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/results/known.h"
#include "daemon/results/saved_state.h"
#include "daemon/results/snapshot.h"
#include "probes/report.h"

namespace canary::daemon {

// The severity of a probe became another one: worth exactly one line in the log.
struct StateChange {
  std::optional<probes::Severity> from;  // none at the very first run
  probes::Severity to = probes::Severity::ok;
  std::optional<probes::Finding> telling;  // which finding speaks for it; none where all are ok
  std::chrono::milliseconds after{0};      // how long `from` lasted
};

// What a run changed in what is known of its probe.
struct Changes {
  std::string probe;
  probes::Subject url;  // where the repository is
  std::optional<StateChange> state;
  std::vector<FindingChange> findings;
  std::vector<VersionChange> versions;
  bool facts = false;  // versions, deadlines, certificates' ends
  bool any() const { return state || !findings.empty() || facts; }
};

// Which finding speaks for a run: one of the worst severity, proof of tampering
// (probes::is_tampering) before anything else, else the first;
// nullptr when all are ok.
probes::Finding const* telling_finding(probes::Report const& report);

class History {
 public:
  explicit History(ProbeFacts facts);

  ProbeRow const& row() const { return row_; }

  // A reload: the probe keeps what is known of it, as far as it is of the same repository.
  void reconfigured(ProbeFacts facts);
  // What was known before the process began. REQUIRES: no run has ended yet. Ignored where it
  // tells of another repository.
  void restore(SavedState saved);
  void scheduled(SysTime next_run) { row_.next_run = next_run; }
  void started(SysTime at);
  // The run ended with a report. A failed run (critical or unknown) counts under one reason.
  Changes finished(SysTime at, std::chrono::nanoseconds duration, probes::Report report);
  // The run ended without one (stop or reload): nothing is concluded from it.
  void abandoned() { row_.in_flight_since.reset(); }
  // What was trusted of its repository is not any more.
  void trust_dropped(TrustDropped dropped) {
    row_.trust_dropped = std::make_shared<TrustDropped const>(std::move(dropped));
  }
  // The watchdog asked the run to end, for want of progress.
  void stalled() { ++row_.stalls; }
  // So many due runs did not start.
  void skipped(SkipReason reason, std::uint64_t count) {
    row_.skipped[static_cast<std::size_t>(reason)] += count;
    if (count > 0 && reason != SkipReason::paused) row_.recent.add(RecentRuns::kMissed);
  }

 private:
  void count(SysTime at, probes::Report const& report, probes::Finding const* telling);

  ProbeRow row_;
};

}  // namespace canary::daemon

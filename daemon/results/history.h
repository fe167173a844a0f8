// SPDX-License-Identifier: Apache-2.0
// What happens to one probe, event by event, turned into what is known of it.
// Thread: none (pure; `at` is always a parameter).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/results/snapshot.h"
#include "probes/report.h"

namespace canary::daemon {

// The severity of a probe became another one: worth exactly one line in the log.
struct StateChange {
  std::string probe;
  std::optional<probes::Severity> from;  // none at the first run
  probes::Severity to = probes::Severity::ok;
  probes::Reason reason = probes::Reason::none;
  std::string check, message, evidence;  // of the telling finding; empty where all are ok
  std::chrono::milliseconds after{0};    // how long `from` lasted
};

// Which finding speaks for a run: one of the worst severity, proof of tampering (rollback,
// signature, threshold, hash_mismatch, equivocation) before anything else, else the first;
// nullptr when all are ok.
probes::Finding const* telling_finding(probes::Report const& report);

class History {
 public:
  explicit History(ProbeFacts facts);

  ProbeRow const& row() const { return row_; }

  // A reload: the probe keeps what is known of it.
  void reconfigured(ProbeFacts facts) { row_.facts = std::move(facts); }
  void scheduled(SysTime next_run) { row_.next_run = next_run; }
  void started(SysTime at);
  // The run ended with a report. A failed run (critical or unknown) counts under one reason.
  std::optional<StateChange> finished(SysTime at, std::chrono::nanoseconds duration,
                                      probes::Report report);
  // The run ended without one (stop or reload): nothing is concluded from it.
  void abandoned() { row_.in_flight_since.reset(); }
  // The watchdog asked the run to end, for want of progress.
  void stalled() { ++row_.stalls; }
  // So many due runs did not start.
  void skipped(SkipReason reason, std::uint64_t count) {
    row_.skipped[static_cast<std::size_t>(reason)] += count;
  }

 private:
  ProbeRow row_;
};

}  // namespace canary::daemon

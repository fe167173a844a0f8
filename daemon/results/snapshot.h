// SPDX-License-Identifier: Apache-2.0
// What is known of the daemon and of every probe at one moment: the one value that metrics, page
// and API read.
// Thread: none (immutable once published).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/maintenance.h"
#include "config/probe_spec.h"
#include "config/shard.h"
#include "daemon/results/changes.h"
#include "daemon/results/histogram.h"
#include "probes/report.h"

namespace canary::daemon {

// A wall-clock instant, for people and Prometheus. Spans are measured on the monotonic clock.
using SysTime = std::chrono::sys_time<std::chrono::milliseconds>;

// Why a due run did not start: the closed set of the metric label `reason`.
enum class SkipReason : std::uint8_t { overlap, concurrency, paused, offline, disturbed };
inline constexpr std::size_t kSkipReasons = 5;
std::string_view to_text(SkipReason reason);

// What the configuration says of a probe.
struct ProbeFacts {
  std::string name;
  std::string repository;  // metric label `repo`
  probes::Declaration const* kind = &probes::kNothingDeclared;
  bool enabled = true;
  std::chrono::milliseconds interval{0};
  std::chrono::milliseconds timeout{0};
  probes::Subject url;     // where the repository is
  HarmlessText<256> host;  // who is asked, without a port; else the program or file, or its name
  std::vector<config::MaintenanceWindow> maintenance{};  // those that cover it
  std::string source{};  // of `discovery`, whose list has it; "": a file has it
  friend bool operator==(ProbeFacts const&, ProbeFacts const&) = default;
};
// `kind` is what the kind of `spec` declares, `windows` are those of the configuration.
ProbeFacts facts_of(config::ProbeSpec const& spec, probes::Declaration const& kind,
                    std::vector<config::MaintenanceWindow> const& windows = {});

// What the last look that had it said; it stays when a later look fails.
struct KnownThing {
  probes::ThingFacts facts;
  SysTime seen{};
  friend bool operator==(KnownThing const&, KnownThing const&) = default;
};
struct Known {
  std::vector<KnownThing> things;
  std::optional<probes::CertificateEnds> certificates;
  SysTime certificates_seen{};
  friend bool operator==(Known const&, Known const&) = default;
};

// Somebody had what was trusted of the repository dropped: it was re-keyed or restored on purpose.
struct TrustDropped {
  SysTime at{};
  HarmlessText<512> reason;
  friend bool operator==(TrustDropped const&, TrustDropped const&) = default;
};

// How the last runs ended, the oldest first: a digit of probes::Severity each, or kMissed.
struct RecentRuns {
  static constexpr std::size_t kKept = 60;
  static constexpr char kMissed = 'm';  // one or more in a row that were due and told nothing
  std::string runs;
  void add(char run) {
    if (run == kMissed && runs.ends_with(kMissed)) return;
    if (runs.size() == kKept) runs.erase(0, 1);
    runs.push_back(run);
  }
  friend bool operator==(RecentRuns const&, RecentRuns const&) = default;
};

// Everything known of one probe.
struct ProbeRow {
  ProbeFacts facts;

  std::optional<probes::Severity> severity;  // none until the first run has ended
  SysTime since{};                           // when `severity` became what it is
  std::uint64_t consecutive_failures = 0;    // runs in a row that were critical or unknown

  std::optional<SysTime> last_run_start, last_run_end;
  std::chrono::nanoseconds last_duration{0};
  std::optional<SysTime> last_success;                // end of the last ok or warning run
  std::shared_ptr<probes::Report const> last_report;  // nullptr until the first run has ended
  std::optional<SysTime> last_failure;                // end of the last failed run
  probes::Reason last_failure_reason = probes::Reason::none;
  std::shared_ptr<probes::Finding const> last_failure_finding;  // that spoke for it

  std::shared_ptr<OpenFindings const> open = std::make_shared<OpenFindings const>();  // likewise
  std::shared_ptr<Known const> known = std::make_shared<Known const>();  // never nullptr

  RecentRuns recent;
  std::shared_ptr<TrustDropped const> trust_dropped;  // the last time; nullptr: never

  std::optional<SysTime> in_flight_since;  // a run is going on
  std::optional<SysTime> next_run;

  std::uint64_t runs = 0;                                          // ended with a report
  std::vector<std::pair<probes::Reason, std::uint64_t>> failures;  // failed runs, those there were
  std::array<std::uint64_t, kSkipReasons> skipped{};               // by SkipReason
  std::uint64_t stalls = 0;                                        // runs the watchdog cancelled
  std::uint64_t bytes_received = 0, requests = 0, retries = 0;     // of all runs
  Histogram durations{kDurationBounds};                            // of ended runs

  std::uint64_t failed_runs() const;
  // Those of that main reason.
  std::uint64_t failures_of(probes::Reason const& reason) const;
  // ok and warning are success; none until the first run has ended.
  std::optional<bool> success() const;
};

// How a source of probes (`discovery`) fares.
struct SourceFacts {
  std::string name;
  HarmlessText<512> from;  // its URL or path
  std::chrono::milliseconds refresh{0};
  std::size_t probes = 0;            // in force, of this shard
  bool looked = false;               // at least once since the start
  bool successful = false;           // the last look
  bool listed = false;               // there is a list in force
  std::optional<SysTime> taken;      // when its content came; nothing where that is not known
  std::optional<SysTime> confirmed;  // when that was last seen to be the newest; likewise
  std::optional<SysTime> failing_since;
  probes::Message error;  // of the last look; empty where it succeeded
  friend bool operator==(SourceFacts const&, SourceFacts const&) = default;
};

// What is known of the process and its configuration.
struct DaemonFacts {
  std::string version;
  std::string revision;  // of the source; empty where unknown
  SysTime started{};
  HarmlessText<512> config_file;
  bool reload_successful = true;               // of the last attempt, the first load included
  std::optional<SysTime> last_reload_success;  // also of the first load
  std::optional<SysTime> last_reload_attempt;
  probes::Message reload_error;  // of the last attempt; empty where it succeeded
  // Of the configuration in use.
  bool full_metrics = false;  // metrics.detail
  config::Shard shard;
  std::size_t elsewhere = 0;         // enabled probes of other shards
  HarmlessText<64> vantage;          // "" where it is not said
  std::vector<SourceFacts> sources;  // of probes, in the order of the configuration
};

// Pointers are good as long as the Reading (store.h) that made the snapshot, or whatever a test
// points them at.
struct Snapshot {
  DaemonFacts const* daemon = nullptr;
  std::vector<ProbeRow const*> probes;  // in the order of the configuration
  Histogram schedule_lag{kLagBounds};   // how late runs started

  ProbeRow const* find(std::string_view probe) const;  // nullptr where there is none
};

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// `canaryd check`: every probe once, now, for a person or a script.
// Thread: main.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "config/probe_spec.h"
#include "probes/probe.h"
#include "probes/report.h"

namespace canary::daemon {

struct CheckRequest {
  std::vector<config::ProbeSpec> probes;
  std::optional<std::chrono::sys_seconds> at;  // judge expiry as of then; now where not given
  std::size_t workers = 0;                     // threads for hashing; 0: one per CPU, at most 4
};

struct CheckedProbe {
  config::ProbeSpec spec;
  probes::Report report;
  bool complete = false;  // false: interrupted or timed out, the report holds what was known
  std::chrono::milliseconds duration{0};
};

// For people and programs: harmless, of at most 512 bytes. Without a configuration it is what the
// flags said, such as a path.
std::string shown_name(CheckedProbe const& checked);

// How far all probes together are; read by the progress bar while check() runs.
class CheckProgress {
 public:
  explicit CheckProgress(std::size_t probes) : probes_(probes) {}
  probes::Progress& of(std::size_t probe) { return probes_[probe]; }
  struct Sum {
    std::uint64_t bytes_done = 0, bytes_total = 0, targets_done = 0, targets_total = 0;
  };
  Sum sum() const;

 private:
  std::vector<probes::Progress> probes_;
};

// Runs all probes side by side on a loop of its own and returns when each has ended or its timeout
// passed; or at once, with what is known, when `stop` is requested. Remembers nothing on disk.
std::vector<CheckedProbe> check(CheckRequest request, CheckProgress& progress,
                                std::stop_token stop);

// 0 healthy, 1 warning, 2 critical, 3 could not tell; of several the worst, where 2 wins over 3.
int exit_code(std::vector<CheckedProbe> const& checked);

}  // namespace canary::daemon

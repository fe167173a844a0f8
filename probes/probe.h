// SPDX-License-Identifier: Apache-2.0
// What a probe may touch, and the one place that picks the probe for a spec.
// Thread: loop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "config/probe_spec.h"
#include "probes/report.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::http {
struct Services;
}
namespace canary::tuf {
class TrustMemory;
}

namespace canary::probes {

class Collector;

// How far a run is, for a progress bar. Written on the loop, read anywhere.
struct Progress {
  std::atomic<std::uint64_t> bytes_done{0};
  std::atomic<std::uint64_t> bytes_total{0};  // 0 until known
  std::atomic<std::uint64_t> targets_done{0};
  std::atomic<std::uint64_t> targets_total{0};
};

// References name things that outlive every run.
struct ProbeContext {
  http::Services& http;                   // what a run's own HTTP client is made from
  runtime::Workers& cpu;                  // hashing, large metadata
  runtime::Workers& disk;                 // the state directory
  std::filesystem::path state_directory;  // of this probe alone; empty: remember nothing
  std::chrono::sys_seconds now;           // the run's one wall-clock time
  runtime::Deadline deadline;
  runtime::Trace trace;
  Report& report;  // findings are added as they are made: a run that is cut short keeps them
  Progress& progress;
  // Of the state directory, from run to run; null: of this run alone.
  std::shared_ptr<tuf::TrustMemory> memory = {};
  Collector* findings = nullptr;  // into the report; set by run_probe()
};

// Runs the probe that `spec` describes. What is wrong with a repository is a finding; it throws
// only when it is cancelled (operation_aborted), and then the report holds what was known so far.
runtime::Task<void> run_probe(config::ProbeSpec spec, ProbeContext context);

// The word of metrics and the page for the spec's alternative: "tuf".
std::string_view kind_name(config::ProbeSpec const& spec);

}  // namespace canary::probes

// SPDX-License-Identifier: Apache-2.0
// What a run of a probe may touch, and how it is started.
// Thread: loop.
#pragma once

#include <any>
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

namespace canary::fetch {
struct Services;
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
  fetch::Services& http;                  // what a run's own HTTP client is made from
  runtime::Workers& cpu;                  // hashing, large metadata
  runtime::Workers& disk;                 // the state directory
  std::filesystem::path state_directory;  // of this probe alone; empty: remember nothing
  std::chrono::sys_seconds now;           // the run's one wall-clock time
  runtime::Deadline deadline;
  runtime::Trace trace;
  Report& report;  // findings are added as they are made: a run that is cut short keeps them
  Progress& progress;
  // What the kind keeps of this probe in memory, from run to run; null: nothing is kept.
  std::shared_ptr<std::any> memory = {};
  Collector* findings = nullptr;  // into the report; set by run_probe()
};

// Runs the probe that `spec` describes, as its kind does. What is wrong with a repository is a
// finding; it throws only when it is cancelled (operation_aborted), and then the report holds what
// was known so far.
runtime::Task<void> run_probe(config::ProbeSpec spec, ProbeContext context);

}  // namespace canary::probes

// SPDX-License-Identifier: Apache-2.0
// What hangs canaryd on purpose: one function for each row of the catalogue of hangs. Built into
// canaryd-faults only; the environment says which one and for how long, a file says when.
//   CANARY_FAULT        the row's name, as in faults_by_name()
//   CANARY_FAULT_MS     for how long; 0 or absent: for ever
//   CANARY_FAULT_DIR    where "trigger" appears and "started" and "address" are written
//   CANARY_FAULT_URL    what a probe is to ask instead, where the row needs a server
//   CANARY_FAULT_PATH   a file that hangs, where the row needs one
//   CANARY_FAULT_AGAIN  set: in each run after the trigger, else in the first
// Thread: loop, unless a function says otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "daemon/app/app_options.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::faults {

// What a fault has at hand. References outlive every run.
struct Hands {
  daemon::AppParts parts;
  daemon::RunProbe real;
  config::ProbeSpec spec;
  runtime::Deadline deadline;
  runtime::Trace trace;
  probes::Report* report = nullptr;
  std::chrono::milliseconds span{0};  // 0: for ever
  std::string url, path;
};

using LoopFault = void (*)(Hands const&);         // hangs the loop's thread, or harms it
using RunFault = runtime::Task<void> (*)(Hands);  // hangs the run
using Fault = std::variant<LoopFault, RunFault>;

void add_loop_faults(std::map<std::string, Fault>& faults);
void add_lock_faults(std::map<std::string, Fault>& faults);
void add_run_faults(std::map<std::string, Fault>& faults);
void add_thread_faults(std::map<std::string, Fault>& faults);
void add_process_faults(std::map<std::string, Fault>& faults);

// Notes in the file "started" that it begins now: CLOCK_MONOTONIC nanoseconds.
void begins();
// The point at which a fault of that span is over; far away for 0.
std::chrono::steady_clock::time_point end_of(Hands const& hands);
// Calls `what` on a thread of its own once the span is over; never for 0. The thread lives on.
void later(std::chrono::milliseconds span, std::function<void()> what);

// Keeps a job that nobody waits for: given up, one that has not begun would not be run.
void never_waited_for(runtime::Workers::Job<bool> job);

// Hands for AppOptions::around_runs: the probe called "victim" runs into the fault.
daemon::RunProbe around_runs(daemon::RunProbe real, daemon::AppParts parts);

}  // namespace canary::faults

// SPDX-License-Identifier: Apache-2.0
// The daemon: builds the graph of everything, starts it in order, waits for signals, stops it in
// order. The only place that sees all parts.
// Thread: main.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/result.h"
#include "daemon/schedule/scheduler.h"
#include "runtime/loop.h"
#include "runtime/signals.h"
#include "runtime/workers.h"

namespace canary::daemon {

inline constexpr int kExitClean = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitBadConfig = 78;  // EX_CONFIG: the unit does not restart on it

// The daemon's parts, for a program of the tests that hangs them on purpose.
struct AppParts {
  runtime::Loop& loop;
  runtime::Workers& cpu;
  runtime::Workers& disk;
  Scheduler& scheduler;
  ResultStore const& results;
  Log& log;
};

struct AppOptions {
  config::Config config;
  std::string config_file;  // shown in the API; empty where there is none
  // Loads the configuration again at SIGHUP; null where there is nothing to load.
  std::function<Result<config::Config, std::vector<config::Problem>>()> reload;
  // Called once everything runs, with the addresses in use.
  std::function<void(std::vector<std::string> const& addresses)> started;
  // Gives what runs a probe instead of the function it is given; null: that one itself.
  std::function<RunProbe(RunProbe, AppParts)> around_runs = {};
};

// Blocks what run_daemon() waits for, and every other signal that somebody may send and that would
// end the process without a word. Thread: main, before any other is started.
runtime::Signals block_daemon_signals();

// Monitors until SIGTERM or SIGINT and returns the exit code; SIGHUP reloads, SIGUSR1 dumps,
// SIGXCPU (of RLIMIT_CPU) stops. `signals` is of block_daemon_signals().
int run_daemon(AppOptions options, runtime::Signals const& signals);

}  // namespace canary::daemon

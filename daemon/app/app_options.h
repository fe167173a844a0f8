// SPDX-License-Identifier: Apache-2.0
// What the daemon is run with, and what it exits with.
// Thread: none (plain data).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/result.h"
#include "daemon/schedule/scheduler.h"
#include "runtime/loop.h"
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

}  // namespace canary::daemon

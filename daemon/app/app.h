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
#include "runtime/signals.h"

namespace canary::daemon {

inline constexpr int kExitClean = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitBadConfig = 78;  // EX_CONFIG: the unit does not restart on it

struct AppOptions {
  config::Config config;
  std::string config_file;  // shown in the API; empty where there is none
  // Loads the configuration again at SIGHUP; null where there is nothing to load.
  std::function<Result<config::Config, std::vector<config::Problem>>()> reload;
  // Called once everything runs, with the addresses in use.
  std::function<void(std::vector<std::string> const& addresses)> started;
};

// Monitors until SIGTERM or SIGINT and returns the exit code. `signals` blocks SIGTERM, SIGINT and
// SIGHUP since before any thread was started.
int run_daemon(AppOptions options, runtime::Signals const& signals);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What the daemon is run with, and what it exits with.
// Thread: none (plain data).
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/result.h"
#include "daemon/publish/web_place.h"
#include "daemon/schedule/scheduler.h"
#include "runtime/file_threads.h"
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
  runtime::FileThreads& files;
  Scheduler& scheduler;
  ResultStore const& results;
  Log& log;
};

using LoadedConfig = Result<config::Config, std::vector<config::Problem>>;

struct AppOptions {
  // Reads the configuration, at the start and at SIGHUP. It may stand still for ever, and owns all
  // that it touches. Thread: control, or one that is started for it.
  std::function<LoadedConfig()> load;
  // What it reads; shown in the API. Empty where there is no file: then SIGHUP does nothing.
  std::string config_file;
  config::LogSettings log{};  // until the configuration says it
  // How long one step of the start, or the reading for a reload, may stand still before it is given
  // up.
  std::chrono::milliseconds patience{60'000};
  WebPlace place{};  // of the pages, for those outside
  // TLS, passwords and headers of the HTTP server; read with the configuration, and again when it
  // changes. Empty: there is none.
  std::string web_config_file = {};
  bool systemd_sockets = false;  // served on sockets that were handed over, not on the file's
  // Called once everything runs, with the addresses in use. Thread: control.
  std::function<void(std::vector<std::string> const& addresses)> started = {};
  // Gives what runs a probe instead of the function it is given; null: that one itself.
  std::function<RunProbe(RunProbe, AppParts)> around_runs = {};
};

}  // namespace canary::daemon

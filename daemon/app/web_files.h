// SPDX-License-Identifier: Apache-2.0
// --web.config.file and the files that it names (certificate, key, clients' authorities) while the
// HTTP server runs: read again when they change, so that a certificate rotates without a restart.
// What is wrong keeps what is in force.
// Thread: loop; files are read on FileThreads.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/problem.h"
#include "daemon/publish/web_access.h"
#include "runtime/file_threads.h"
#include "runtime/task.h"

namespace canary::daemon {

struct WebFiles {
  std::string file;
  std::function<WebAccessPointer()> in_force;
  // Another one was read.
  std::function<void(WebAccessPointer)> taken;
  // What is wrong has been so at two looks in a row: a file half written, or a certificate whose
  // key comes a moment later, is nobody's mistake.
  std::function<void(std::vector<config::Problem> const&)> refused;
};

// Looks for as long as the daemon runs, every second. `threads` outlives it.
runtime::Task<void> watch_web_files(WebFiles files, runtime::FileThreads& threads);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// All that the daemon is told by files: the configuration, and who is let in where.
// Thread: control, or one that is started for it (blocks on files).
#pragma once

#include <vector>

#include "config/config.h"
#include "config/result.h"
#include "daemon/app/app_options.h"
#include "daemon/publish/web_access.h"

namespace canary::daemon {

struct LoadedAll {
  config::Config config;
  WebAccessPointer access;  // nullptr: there is no such file
};

// Every problem of both.
Result<LoadedAll, std::vector<config::Problem>> load_all(AppOptions const& options);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What a probe may wait for without moving, held against the watchdog's limit: a run that only
// waits as it was told to must not be taken for one that hangs.
// Thread: none (one load at a time).
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/yaml.h"

namespace canary::config {

class WaitRule {
 public:
  // The main file's limit; `watchdog` is where it may be set.
  void set_limit(milliseconds run_stall, std::optional<yaml::Cursor> const& watchdog);
  void set_defaults(yaml::Cursor const& defaults);

  // Refuses each wait of `probe` that is as long as run_stall or longer, where it was set: in the
  // probe itself, in `defaults` (once for all), or, where it is built in, at run_stall. No wait is
  // longer than the run's timeout. REQUIRES: the probe, at `at`, was read without problems.
  void check(yaml::Cursor const& at, ProbeSpec const& probe);

 private:
  void refuse(yaml::Cursor const& at, std::vector<std::string> const& path, milliseconds wanted,
              milliseconds timeout);

  milliseconds run_stall_{WatchdogSettings{}.run_stall};
  std::optional<yaml::Cursor> limit_place_, defaults_;
  std::set<std::string> told_;
};

}  // namespace canary::config

// SPDX-License-Identifier: Apache-2.0
// Whether what a probe says now is to page nobody, for work on its repository was announced.
// Thread: none (pure).
#pragma once

#include <optional>
#include <string>

#include "daemon/results/snapshot.h"

namespace canary::daemon {

struct InMaintenance {
  std::chrono::sys_seconds until{};
  std::string reason;
};

// The window that `now` is in, of several the one that ends last. After a window it still holds
// while the last run began in it, for that one saw the work; an hour at most.
std::optional<InMaintenance> maintenance_of(ProbeRow const& row, SysTime now);

}  // namespace canary::daemon

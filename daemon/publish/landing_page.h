// SPDX-License-Identifier: Apache-2.0
// The page at "/": what this is, how it is, and where everything else stands.
// Thread: any (pure).
#pragma once

#include <string>
#include <string_view>

#include "daemon/results/snapshot.h"

namespace canary::daemon {

// What to do where no probe runs: one line.
std::string first_steps(std::string_view config_file);

// HTML without scripts or outside assets; every text of a configuration or a server is escaped.
std::string landing_page(Snapshot const& snapshot);

}  // namespace canary::daemon

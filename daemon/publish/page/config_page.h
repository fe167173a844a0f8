// SPDX-License-Identifier: Apache-2.0
// The page at "/config": the configuration in force.
// Thread: any (pure).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/results/snapshot.h"

namespace canary::daemon::page {

// What is longer is cut after a line; "/config?as=text" has all of it.
inline constexpr std::size_t kLongestConfig = 400'000;

// `text`: as `config show` prints it, secrets masked.
std::string config_page(std::string_view text, DaemonFacts const& daemon, SysTime now);

}  // namespace canary::daemon::page

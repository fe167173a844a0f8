// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.
// Thread: any (pure).
#pragma once

#include <chrono>
#include <string>

#include "daemon/results/snapshot.h"

namespace canary::daemon::page {

// "22 min", "3 h", "4 d", "8 ms": one unit, rounded down.
std::string span(std::chrono::milliseconds length);
// "5 s ago"; "in 14 s" where it is to come; "now".
std::string distance(SysTime time, SysTime now);
// "02:12:55 UTC", with the date where that is another day.
std::string clock(SysTime time, SysTime now);
// What looks at a probe again: "canaryd check --config /etc/canaryd/canaryd.yml demo".
std::string check_command(std::string const& config_file, std::string const& probe);
// "1 probe", "6 probes".
std::string count(std::size_t number, std::string const& noun);

}  // namespace canary::daemon::page

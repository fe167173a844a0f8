// SPDX-License-Identifier: Apache-2.0
// What a check found, by the contract of Nagios plugins: a first line with the cause, figures
// (perfdata) behind its `|`, then what else is wrong. The exit status is that of `check` anyway.
// Thread: any (pure).
// Source: Monitoring Plugins Development Guidelines, "Plugin Output for Nagios".
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/check/check.h"

namespace canary::daemon {

struct NagiosStyle {
  bool quiet = false;             // no lines of probes that are ok
  bool explain = false;           // below each finding, what it means, while there is room
  std::chrono::sys_seconds at{};  // figures of what ends are seconds from then on
};

// At most kMostNagiosBytes, the first line at most kMostNagiosLine.
std::string report_nagios(std::vector<CheckedProbe> const& checked, NagiosStyle style);
// Where no check came about: "CANARYD UNKNOWN: why", a line of its own.
std::string nagios_unknown(std::string_view why);

inline constexpr std::size_t kMostNagiosBytes = 4'000;  // Nagios 3 reads 4 KiB
inline constexpr std::size_t kMostNagiosLine = 1'020;   // NRPE 2 carries 1 KiB

}  // namespace canary::daemon

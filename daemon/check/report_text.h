// SPDX-License-Identifier: Apache-2.0
// What a check found, as a table for people and as JSON for programs.
// Thread: any (pure).
#pragma once

#include <string>
#include <vector>

#include "daemon/check/check.h"

namespace canary::daemon {

struct TextStyle {
  bool colour = false;
  bool quiet = false;  // leave out what is ok
};

// A block per probe, worst findings first, then what was measured.
std::string report_text(std::vector<CheckedProbe> const& checked, TextStyle style);

// {"severity", "probes": [{"name", "severity", "complete", "findings", "measurements", …}]}
// `quiet`: without findings that are ok.
std::string report_json(std::vector<CheckedProbe> const& checked, bool quiet);

}  // namespace canary::daemon

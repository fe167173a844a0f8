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
  bool quiet = false;    // leave out what is ok
  bool explain = false;  // beside each finding that is not ok, what it means
};

// A block per probe, worst findings first, then what was measured.
std::string report_text(std::vector<CheckedProbe> const& checked, TextStyle style);

// {"severity", "probes": [{"name", "severity", "complete", "findings", "measurements", …}]}
// By config/check.schema.json. The style's colour means nothing here.
std::string report_json(std::vector<CheckedProbe> const& checked, TextStyle style);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// `check --explain`: what is beside a finding that is not ok, the same in every output.
// Thread: any (pure).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probes/report.h"

namespace canary::daemon {

struct ExplainedLine {
  std::string_view name;  // its field in JSON
  std::string text;       // harmless; "" where nothing is known
};
// Always the same names, in one order; nothing of a finding that is ok.
std::vector<ExplainedLine> explained(std::string_view kind, probes::Finding const& finding);

// For people: a line each of those that are not empty, behind `indent`.
std::string explained_text(std::string_view kind, probes::Finding const& finding,
                           std::string_view indent);

}  // namespace canary::daemon

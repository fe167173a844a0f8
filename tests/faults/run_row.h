// SPDX-License-Identifier: Apache-2.0
// Brings one row about, and holds what canaryd makes of it against the row.
// Thread: run_row() makes a thread of its own, whose mounts and children end with it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/faults/rows.h"

namespace canary::faults {

struct Outcome {
  std::string unavailable;          // why it cannot be brought about here; then nothing else counts
  std::optional<double> noticed_s;  // from the fault's begin until /metrics told of the stall
  std::string verdict;
  std::string culprit;  // as the dump has it: "function file:line"
  std::string metrics;  // "yes", "yes (slowest 31 ms)", "no: ..."
  std::string truth;    // did /metrics and /-/healthy tell the truth?
  std::string others;   // did the other probe go on?
  std::string end;
  std::vector<std::string> complaints;  // empty: all is as it should be
  double took_s = 0;
};

Outcome run_row(Row const& row);

}  // namespace canary::faults

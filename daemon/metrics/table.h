// SPDX-License-Identifier: Apache-2.0
// The one table of metrics, but for those that kinds of probes declare: a family that is not in it
// cannot be written, and a test sees to it that each one in it is written by somebody and stands in
// docs/metrics.md. Thread: none (constants).
#pragma once

#include <span>
#include <string_view>

#include "daemon/metrics/of_daemon.h"
#include "daemon/metrics/of_hangs.h"
#include "daemon/metrics/of_probes.h"

namespace canary::metrics {

struct Section {
  std::string_view title;
  std::span<Metric const> metrics;
};

inline constexpr std::array<Section, 5> kSections{{{"canaryd itself", kOfDaemon},
                                                   {"Probes", kOfProbes},
                                                   {"Hangs", kOfHangs},
                                                   {"The process before", kOfThePreviousRun},
                                                   {"The process", kOfProcess}}};

void no_such_metric();  // defined nowhere: a call of it is what the compiler refuses

// The row of that name; a name that is not in the table does not compile.
consteval Metric const& metric(std::string_view name) {
  for (auto const& section : kSections) {
    for (auto const& row : section.metrics) {
      if (row.name == name) return row;
    }
  }
  no_such_metric();
  return kOfDaemon.front();
}

}  // namespace canary::metrics

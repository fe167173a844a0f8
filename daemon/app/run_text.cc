// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/run_text.h"

#include <algorithm>
#include <chrono>

#include "daemon/check/report_text.h"
#include "probes/kind.h"

namespace canary::daemon {
namespace {

// Did it come to its end by itself?
bool is_complete(probes::Report const& report) {
  return std::ranges::none_of(report.findings,
                              [](auto const& finding) { return finding.check == "run"; });
}

}  // namespace

std::vector<CheckedProbe> last_run(ProbeRow const& row) {
  CheckedProbe checked{
      .spec = {},
      .report = *row.last_report,
      .complete = is_complete(*row.last_report),
      .duration = std::chrono::floor<std::chrono::milliseconds>(row.last_duration)};
  checked.spec.name.text = row.facts.name;
  checked.spec.repository = row.facts.repository;
  if (auto const* const kind = probes::find_kind(row.facts.kind->kind)) {
    checked.spec.kind = kind->spec();
  }
  return {std::move(checked)};
}

std::string run_text(ProbeRow const& row) {
  return report_text(last_run(row), {.colour = false, .quiet = false});
}

}  // namespace canary::daemon

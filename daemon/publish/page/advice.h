// SPDX-License-Identifier: Apache-2.0
// What to do about a finding, in a sentence, and which alert tells of it: as its kind declares it
// (probes/explanation.h).
// Thread: any (pure).
#pragma once

#include <string_view>

#include "probes/report.h"

namespace canary::daemon::page {

struct Advice {
  std::string_view what;   // a sentence
  std::string_view alert;  // a rule of canaryd.rules.yml, and a section of docs/runbook.md; or ""
};
// `kind`: of the probe, by its name.
Advice advice_on(std::string_view kind, probes::Finding const& finding);

}  // namespace canary::daemon::page

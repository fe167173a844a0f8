// SPDX-License-Identifier: Apache-2.0
// What to do about a finding, in a sentence, and which alert tells of it.
// Thread: any (pure).
#pragma once

#include <string_view>

#include "probes/report.h"

namespace canary::daemon::page {

struct Advice {
  std::string_view what;   // a sentence
  std::string_view alert;  // a rule of canaryd.rules.yml, and a section of docs/runbook.md
};
Advice advice_on(probes::Finding const& finding);

}  // namespace canary::daemon::page

// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/advice.h"

#include "probes/explanation.h"

namespace canary::daemon::page {

Advice advice_on(std::string_view kind, probes::Finding const& finding) {
  if (finding.severity == probes::Severity::ok) return {};
  auto const known = probes::explain(kind, finding);
  return {.what = known.advice, .alert = known.alert};
}

}  // namespace canary::daemon::page

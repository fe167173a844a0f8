// SPDX-License-Identifier: Apache-2.0
// The metrics that a kind of probe declares, as rows like the table's.
// Thread: any (pure).
#pragma once

#include <vector>

#include "daemon/metrics/metric.h"
#include "probes/declaration.h"

namespace canary::daemon {

metrics::Metric metric_of(probes::ThingType const& type, probes::Number const& number);
metrics::Metric count_metric_of(probes::ThingType const& type);
metrics::Metric metric_of(probes::SampleFamily const& family);

// All that the kind declares, in the order of the page.
std::vector<metrics::Metric> metrics_of(probes::Declaration const& kind);

}  // namespace canary::daemon

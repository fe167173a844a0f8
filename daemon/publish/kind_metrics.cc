// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/kind_metrics.h"

#include <array>
#include <string_view>

namespace canary::daemon {

using metrics::Metric;

namespace {

Metric gauge(probes::Number const& number,
             std::array<std::string_view, metrics::kMostLabels> labels) {
  return {.name = number.metric, .help = number.help, .labels = labels, .shown = number.shown};
}

}  // namespace

Metric metric_of(probes::ThingType const& type, probes::Number const& number) {
  return gauge(number, {"probe", "repo", type.name});
}

Metric count_metric_of(probes::ThingType const& type) { return gauge(type.count, {"probe"}); }

Metric metric_of(probes::SampleFamily const& family) {
  return gauge(family.number, {"probe", family.label});
}

std::vector<Metric> metrics_of(probes::Declaration const& kind) {
  std::vector<Metric> all;
  for (auto const* const family : kind.samples) all.push_back(metric_of(*family));
  for (auto const* const type : kind.things) {
    for (auto const* const number : {&type->ends, &type->warning, &type->critical, &type->seen}) {
      if (!number->metric.empty()) all.push_back(metric_of(*type, *number));
    }
    for (auto const& number : type->numbers) all.push_back(metric_of(*type, number));
    if (!type->count.metric.empty()) all.push_back(count_metric_of(*type));
  }
  return all;
}

}  // namespace canary::daemon

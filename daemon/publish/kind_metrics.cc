// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/kind_metrics.h"

namespace canary::daemon {

using metrics::Metric;
using metrics::Type;

Metric metric_of(probes::ThingType const& type, probes::Number const& number) {
  return {number.metric, Type::gauge, number.help, {"probe", "repo", type.name}};
}

Metric count_metric_of(probes::ThingType const& type) {
  return {type.count.metric, Type::gauge, type.count.help, {"probe"}};
}

Metric metric_of(probes::SampleFamily const& family) {
  return {family.number.metric, Type::gauge, family.number.help, {"probe", family.label}};
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

// SPDX-License-Identifier: Apache-2.0
// One metric family while its series are added, and its text.
// Thread: none (pure).
// Source: Prometheus text exposition format 0.0.4.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/metrics/metric.h"
#include "daemon/results/histogram.h"

namespace prometheus {
struct ClientMetric;
}

namespace canary::daemon {

// Appends its series to `out` as they are added, under the family's head; nothing when there is
// none. Unless `full`, the series that the metric shows in full (or with a vantage) only are left
// out. `out` and `metric` outlive it; two families are not filled by turns.
class Family {
 public:
  Family(std::string& out, metrics::Metric const& metric, bool full = true);
  ~Family();
  Family(Family const&) = delete;
  Family& operator=(Family const&) = delete;

  // The labels' values in the order of their names. REQUIRES: one for each name.
  using Labels = std::initializer_list<std::string_view>;
  void add(Labels labels, double value);
  void add(Labels labels, std::optional<double> value);  // no series without a value
  void add(Labels labels, Histogram const& value);       // REQUIRES: a histogram family

 private:
  bool shows(double value) const;
  void begin(Labels labels);

  std::string& out_;
  metrics::Metric const& metric_;
  std::unique_ptr<prometheus::ClientMetric> series_;  // the room is used again for the next
  bool full_;
  bool begun_ = false;
};

}  // namespace canary::daemon

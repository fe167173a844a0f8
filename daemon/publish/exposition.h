// SPDX-License-Identifier: Apache-2.0
// One metric family while its series are added, and its text.
// Thread: none (pure).
// Source: Prometheus text exposition format 0.0.4.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/results/histogram.h"

namespace prometheus {
struct MetricFamily;
}

namespace canary::daemon {

struct Label {
  std::string name, value;
};
using Labels = std::vector<Label>;

enum class FamilyType { gauge, counter, histogram };

// Appends itself to `out` at the end of its life, in the order of its series; nothing when it has
// none. `out` outlives it.
class Family {
 public:
  Family(std::string& out, FamilyType type, std::string name, std::string help);
  ~Family();
  Family(Family const&) = delete;
  Family& operator=(Family const&) = delete;

  void add(Labels labels, double value);
  void add(Labels labels, std::optional<double> value);  // no series without a value
  void add(Labels labels, Histogram const& value);       // REQUIRES: a histogram family

 private:
  std::string& out_;
  std::unique_ptr<prometheus::MetricFamily> family_;
};

}  // namespace canary::daemon

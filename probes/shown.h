// SPDX-License-Identifier: Apache-2.0
// Which series of a metric the page has by default; with `metrics.detail: full` it has all.
// Thread: none (constants).
#pragma once

#include <cstdint>

namespace canary::probes {

enum class Shown : std::uint8_t {
  always,
  unless_zero,  // those whose value is not 0
  in_full,      // none
  in_vantage,   // where the configuration names the place that is looked from; never one that is 0
};

}  // namespace canary::probes

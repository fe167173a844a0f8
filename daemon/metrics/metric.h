// SPDX-License-Identifier: Apache-2.0
// One metric family as it is declared: what the page, the emergency page and docs/metrics.md are
// written from.
// Thread: none (constants).
// Source: Prometheus text exposition format 0.0.4; prometheus.io/docs/practices/naming.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probes/shown.h"

namespace canary::metrics {

enum class Type : std::uint8_t { gauge, counter, histogram };

constexpr std::string_view to_text(Type type) {
  return type == Type::counter ? "counter" : type == Type::histogram ? "histogram" : "gauge";
}

// On the page that the watchdog gives while the HTTP server hangs.
enum class Emergency : std::uint8_t {
  absent,
  written,  // by the watchdog, from what it knows
  copied,   // it never changes: as the ordinary page had it at the start
};

using probes::Shown;

inline constexpr std::size_t kMostLabels = 5;

struct Metric {
  std::string_view name;
  Type type = Type::gauge;
  std::string_view help;                               // needs no escaping
  std::array<std::string_view, kMostLabels> labels{};  // their names; "" beyond the last
  Emergency emergency = Emergency::absent;
  Shown shown = Shown::always;

  constexpr std::size_t label_count() const {
    std::size_t count = 0;
    while (count < labels.size() && !labels[count].empty()) ++count;
    return count;
  }
};

}  // namespace canary::metrics

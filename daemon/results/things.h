// SPDX-License-Identifier: Apache-2.0
// What is shown of the things of a repository, of whatever kind they are.
// Thread: any (pure).
#pragma once

#include <cstdint>
#include <optional>

#include "probes/report.h"

namespace canary::daemon {

// The number that its type calls "version".
inline std::optional<std::int64_t> version_of(probes::ThingFacts const& thing) {
  if (thing.type == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < thing.type->numbers.size(); ++i) {
    if (thing.type->numbers[i].field == "version") return thing.numbers[i];
  }
  return std::nullopt;
}

}  // namespace canary::daemon

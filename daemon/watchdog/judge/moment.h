// SPDX-License-Identifier: Apache-2.0
// When the watchdog looks.
// Thread: none (values).
#pragma once

#include <cstdint>

namespace canary::watchdog {

struct Moment {
  std::int64_t now_ns = 0, previous_ns = 0;  // monotonic: of this look and of the one before
  std::int64_t wall_ns = 0;                  // since the epoch
};

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// The configuration's watchdog settings as the watchdog's thread wants them.
// Thread: none (pure).
#pragma once

#include <chrono>
#include <cstdint>

#include "config/config.h"
#include "daemon/watchdog/inputs.h"

namespace canary::watchdog {

inline std::int64_t nanoseconds(std::chrono::milliseconds span) {
  return std::chrono::nanoseconds{span}.count();
}

Settings settings_of(config::WatchdogSettings const& from);

}  // namespace canary::watchdog

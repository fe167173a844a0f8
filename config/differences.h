// SPDX-License-Identifier: Apache-2.0
// What is not the same in two configurations in effect.
// Thread: none (pure).
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace canary::config {

// A line each: "probe a: interval: 5m -> 1m", "probe b: added", "log.level: info -> debug". Secrets
// show where they come from, never as values. Defined beside show(), which writes the same fields.
std::vector<std::string> differences(Config const& old, Config const& fresh);

}  // namespace canary::config

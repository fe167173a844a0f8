// SPDX-License-Identifier: Apache-2.0
// Standard output of a command, whose loss is told: results that nobody got are no success.
// Thread: main.
#pragma once

#include <string_view>

namespace canary::daemon {

void put(std::string_view text);

// Writes what is still held back. True where everything got out; else a line on standard error says
// why not. At the end, once.
bool output_arrived();

}  // namespace canary::daemon

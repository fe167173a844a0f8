// SPDX-License-Identifier: Apache-2.0
// A beat that travels through the executor, as everything else there does: as long as it arrives,
// the loop turns.
// Thread: see each.
#pragma once

#include <chrono>
#include <optional>

#include "runtime/task.h"

namespace canary::runtime {

// Beats until it is cancelled: waits for a timer, then for its turn in the queue. Thread: loop.
Task<void> beat(std::chrono::milliseconds interval);

// How long ago the last beat arrived; nothing before the first. Thread: any; takes no lock.
std::optional<std::chrono::nanoseconds> beat_age();

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// Brings to the loop what the watchdog wants cancelled: it writes RunRecord::ask_cancel and an
// eventfd, since posting to the loop could need a lock that hangs.
// Thread: loop.
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/task.h"

namespace canary::runtime {

// The run's index in the tables and its generation there.
using CancelRun = std::function<void(std::uint16_t run, std::uint32_t generation)>;

// Calls `cancel` for each run whose end is asked for, until it is cancelled itself. `descriptor` is
// the watchdog's eventfd, readable when there is one; it is duplicated.
Task<void> listen_for_cancels(int descriptor, CancelRun cancel);

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// The page of metrics that is served when the HTTP server cannot make one: what the watchdog knows,
// under the same names as on the ordinary page, so that the same alerts go on. What it does not
// know - the results of probes - is not there, and is stale for Prometheus.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/watchdog/tell/emergency_board.h"
#include "daemon/watchdog/tell/status.h"
#include "runtime/tables.h"

namespace canary::watchdog {

struct EmergencyView {
  Record const& record;
  runtime::Tables& tables;
  std::string_view preamble;   // whole families that never change, as the ordinary page has them
  std::int64_t silent_ns = 0;  // for how long the server has not answered
  std::int64_t now_ns = 0, wall_ns = 0;  // monotonic; since the epoch
};

// Fills all of `texts`.
void write_emergency_texts(EmergencyView const& view, EmergencyTexts& texts);

}  // namespace canary::watchdog

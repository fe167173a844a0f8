// SPDX-License-Identifier: Apache-2.0
// The watchdog's lines as the log writes them.
// Thread: the log's writer.
#pragma once

#include "daemon/log/log.h"
#include "daemon/watchdog/tell/lines.h"

namespace canary::watchdog {

// Where the log takes the watchdog's lines from. `lines` outlives the log's writer.
daemon::LogSource log_source(WatchdogLines& lines);

// Packs one line.
void pack(Line const& line, daemon::LogRecord& into);

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// Moments as people write and read them.
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "config/result.h"
#include "daemon/history/entries.h"

namespace canary::history {

enum class Zone : std::uint8_t { local, utc };

// "now", "today", "yesterday", "tue" or "tuesday" (the latest one that has begun, 00:00), "90d" or
// "1h30m" (so long ago), "2026-11-24", "2026-11-24T10:00", "2026-11-24 10:00:30", all in `zone`;
// "2026-11-24T09:00:00Z". The error says what is understood.
Result<Time, std::string> parse_when(std::string_view text, Time now, Zone zone);

// "2026-11-24 10:02:11".
std::string when_text(Time time, Zone zone);
// "CET (UTC+01:00)", "UTC": of that moment.
std::string zone_text(Time time, Zone zone);
// "2 d 3 h", "5 min 20 s", "250 ms": two units at most.
std::string span_text(milliseconds span);

}  // namespace canary::history

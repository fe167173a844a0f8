// SPDX-License-Identifier: Apache-2.0
// Durations ("1h30m", "7d", "250ms") and sizes ("64MiB", "512KB", "1024") as people write them.
// Thread: none (pure).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::config {

// One or more <number><unit>, largest unit first, each unit once; units ms s m h d w. "0" alone is
// zero. Refused: fractions, signs, blanks, a bare number, more than ten years.
Result<std::chrono::milliseconds, std::string> parse_duration(std::string_view text);

// The text in its largest units, which parses back to the same value: 90s is "1m30s", 604800s is
// "1w"; weeks only where nothing is left: 30 days are "30d".
std::string to_text(std::chrono::milliseconds value);

// <number> with an optional unit B, KB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024).
Result<std::uint64_t, std::string> parse_size(std::string_view text);
std::string size_text(std::uint64_t bytes);

// RFC 3339 UTC date-time or date ("2026-11-24T00:00:00Z", "2026-11-24", "now").
Result<std::chrono::sys_seconds, std::string> parse_time(std::string_view text,
                                                         std::chrono::sys_seconds now);
// "2026-11-24T00:00:00Z".
std::string to_text(std::chrono::sys_seconds time);

}  // namespace canary::config

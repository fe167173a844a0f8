// SPDX-License-Identifier: Apache-2.0
// When work on repositories is announced: their probes run and tell what they see, and nobody is
// paged for it.
// Thread: none (pure).
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/result.h"

namespace canary::config {

// From `from` on, until before `to`.
struct Stretch {
  std::chrono::sys_seconds from{}, to{};
  friend bool operator==(Stretch const&, Stretch const&) = default;
};

// On some days of the week from a time of day on, all in UTC.
struct Weekly {
  std::array<bool, 7> days{};      // as std::chrono::weekday::c_encoding() has them: Sunday first
  std::chrono::minutes from{0};    // since midnight
  std::chrono::minutes length{0};  // up to a day; it may end on the next one
  friend bool operator==(Weekly const&, Weekly const&) = default;
};

struct MaintenanceWindow {
  std::variant<Stretch, Weekly> when;
  std::vector<std::string> probes;  // names; `*` stands for any text. Empty: every probe
  std::string reason;

  bool covers(std::string_view probe) const;
  // The stretch that `at` is in; nothing outside.
  std::optional<Stretch> holding(std::chrono::sys_seconds at) const;
  friend bool operator==(MaintenanceWindow const&, MaintenanceWindow const&) = default;
};

// "sun 02:00-04:00", "mon-fri,sun 22:00-01:30", "daily 03:00-03:30"; an end that is no later than
// the begin is of the next day, 24:00 is midnight. The error is a sentence.
Result<Weekly, std::string> parse_weekly(std::string_view text);
// Reads back as the same.
std::string to_text(Weekly const& weekly);

// "2027-03-01T22:00:00Z", with an offset in place of Z ("+01:00"), or "2027-03-01", which is the
// midnight at which that day begins, UTC.
Result<std::chrono::sys_seconds, std::string> parse_moment(std::string_view text);

}  // namespace canary::config

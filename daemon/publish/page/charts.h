// SPDX-License-Identifier: Apache-2.0
// What a probe did over weeks, drawn by the server: a bar for each day, a line of how long its runs
// took.
// Thread: any (pure).
#pragma once

#include <vector>

#include "daemon/history/entries.h"
#include "daemon/publish/page/fields.h"

namespace canary::daemon::page {

inline constexpr int kDays = 90;

// A list "days" of {class, path}, and "days_text" for those who do not see. A day in which runs
// failed has their share in colour, from above, never less than can be seen; one without any run
// is hollow. Days before the first that is known are left out. "well" is the share of runs that
// were ok or a warning, in per cent, rounded down.
void add_days(Fields& into, std::vector<history::Span> const& days, history::Time now);
inline constexpr int kDayStep = 8, kDayWidth = 6, kDayHeight = 40, kLeastShare = 5;

// "mean" and "longest": paths in a square of kChartWidth and kChartHeight, from `since` to `now`;
// "top": what its upper edge stands for; "durations_text", "durations_since". By hour where there
// are kEnoughHours of them, else run by run. Nothing where there is nothing to draw.
void add_durations(Fields& into, std::vector<history::Span> const& hours,
                   std::vector<history::RunEntry> const& runs, history::Time now);
inline constexpr int kChartWidth = 720, kChartHeight = 100;
inline constexpr std::size_t kEnoughHours = 12;

}  // namespace canary::daemon::page

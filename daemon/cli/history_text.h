// SPDX-License-Identifier: Apache-2.0
// What `canaryd history` prints: for people, and as CSV.
// Thread: any (pure).
#pragma once

#include <string>

#include "daemon/history/timeline.h"
#include "daemon/history/when.h"

namespace canary::daemon {

// A line each, in order of time, below the span that was asked for.
std::string timeline_text(history::Found<history::Moment> const& found, history::Query const& query,
                          history::Zone zone);
// How the runs of each probe went in these days (UTC), a line each.
std::string runs_text(history::Found<history::Span> const& spans);
// RFC 4180, times in UTC, durations in seconds. A field that a spreadsheet would take for a formula
// begins with an apostrophe: a repository may call a file so.
std::string timeline_csv(history::Found<history::Moment> const& found);

}  // namespace canary::daemon

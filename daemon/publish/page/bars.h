// SPDX-License-Identifier: Apache-2.0
// Small drawings: SVG whose shapes are one path for each colour.
// Thread: any (pure).
#pragma once

#include "daemon/publish/page/fields.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon::page {

// A list "bars" of {class, path}, and "bars_text" for those who do not see: "58 ok, 2 critical of
// the last 60 runs". Missed runs are hollow.
void add_bars(Fields& into, RecentRuns const& recent);
inline constexpr int kBarStep = 6, kBarWidth = 4, kBarHeight = 16;

// Of 100: days to come on a scale that is finer near now; 1 for what has ended.
int deadline_width(double days);

}  // namespace canary::daemon::page

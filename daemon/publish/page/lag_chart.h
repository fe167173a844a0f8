// SPDX-License-Identifier: Apache-2.0
// How late canaryd's own loop was over the last hour, drawn by the server.
// Thread: any (pure).
#pragma once

#include "daemon/publish/page/fields.h"
#include "daemon/publish/page/overview.h"

namespace canary::daemon::page {

// "lag_path", "suspect_path" and "stall_path" in a rectangle of kLagWidth and kLagHeight, by powers
// of ten from a millisecond on; "lag_text" for those who do not see, "lag_suspect", "lag_stall" and
// "lag_top" (what the upper edge stands for). "lag_path" is "" where nothing is known.
void add_lag_chart(Fields& page, OwnState const& own, SysTime now);
inline constexpr int kLagWidth = 720, kLagHeight = 100;

}  // namespace canary::daemon::page

// SPDX-License-Identifier: Apache-2.0
// The page at "/hangs": what hangs now, what befell canaryd itself before (hangs, restarts, times
// in which nobody watched), and the dumps of that. Thread: any (pure).
#pragma once

#include <string>
#include <vector>

#include "daemon/history/timeline.h"
#include "daemon/publish/page/overview.h"
#include "daemon/publish/stored_dumps.h"

namespace canary::daemon::page {

struct HangsPast {
  history::Found<history::Moment> moments;  // of canaryd itself
  std::string trouble;                      // why there are none; "" where they were read
  std::vector<StoredDump> dumps;
  std::string dumps_trouble;  // likewise
};

std::string hangs_page(OwnState const& own, HangsPast const& past, history::Query const& query,
                       history::Time now);

}  // namespace canary::daemon::page

// SPDX-License-Identifier: Apache-2.0
// The page at "/probe/NAME": everything that is known of one repository now, and what was of it in
// the last 90 days.
// Thread: any (pure).
#pragma once

#include <string>
#include <vector>

#include "daemon/history/entries.h"
#include "daemon/publish/page/mirrors.h"
#include "daemon/publish/page/overview.h"

namespace canary::daemon::page {

// From the history.
struct ProbePast {
  std::vector<history::Span> days;      // kDays of them
  std::vector<history::Span> hours;     // of the last week
  std::vector<history::RunEntry> runs;  // likewise, the newest
  history::Found<history::Incident> incidents;
  BehindSince behind_since;  // of its mirrors
  std::string trouble;       // why there is nothing of it
};

struct ProbeView {
  ProbeRow const& row;
  DaemonFacts const& daemon;
  OwnState const& own;
  ProbePast const& past;
  std::vector<ProbeRow const*> mirrors = {};  // mirrors_of() it
  std::string config = {};                    // as `config show` has it
  bool may_run = false;                       // whoever asks may have it run now
};
std::string probe_page(ProbeView const& view, SysTime now);

}  // namespace canary::daemon::page

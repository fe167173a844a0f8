// SPDX-License-Identifier: Apache-2.0
// The pages at "/probe/NAME/run/TIME" and "/probe/NAME/day/DATE": what is remembered of a single
// run, and of a day.
// Thread: any (pure).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/history/entries.h"
#include "daemon/history/timeline.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon::page {

struct RunPast {
  std::optional<history::RunEntry> run;  // nothing: the history has none of that moment
  std::optional<SysTime> before, after;  // the runs beside it
  std::vector<history::OpenFinding> findings;
  history::Found<history::Incident> incidents;  // that were open then
  std::vector<history::VersionEntry> versions;
};
std::string run_page(ProbeFacts const& probe, SysTime at, RunPast const& past, SysTime now);

struct DayPast {
  std::optional<history::Span> day;
  std::vector<history::Span> hours;
  history::Found<history::RunEntry> runs;   // those that are kept
  history::Found<history::Moment> moments;  // what changed
  history::Found<history::Incident> incidents;
};
inline constexpr std::size_t kMostRunsOfADay = 20'000;  // looked at
inline constexpr std::size_t kMostMomentsOfADay = 500;
std::string day_page(ProbeFacts const& probe, SysTime day, DayPast const& past, SysTime now);

}  // namespace canary::daemon::page

// SPDX-License-Identifier: Apache-2.0
// What the health pages and systemd's status say of this process: the wall clock's truth, which
// accuses nobody, and the judgement, which restarts follow.
// Thread: any. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/tell/status.h"
#include "runtime/tables.h"

namespace canary::watchdog {

using HealthText = ShortText<255>;

inline void add_seconds(HealthText& text, std::int64_t nanoseconds) {
  std::int64_t const seconds = nanoseconds > 0 ? nanoseconds / 1'000'000'000 : 0;
  text.number(static_cast<std::uint64_t>(seconds)).add(" s");
}

// "the loop has not turned for 150 s: starved of CPU"; empty while it turns.
HealthText why_it_stands(Record const& record, runtime::Tables& tables, std::int64_t now_ns);

// "log stands still: lock", of a part that only a restart brings back, whosever fault it is; empty
// where all come round.
HealthText what_stands(Record const& record);

// A watchdog that stands still is missed by the loop, and both by main (45 s). After this long
// without a tick nobody is left who would end the process, unless it was held as a whole.
inline constexpr std::int64_t kNobodyJudges = 60'000'000'000;
// "the watchdog has not ticked for 61 s, …"; empty while that is not so.
inline HealthText why_nobody_judges(std::int64_t ticked_ns, std::int64_t now_ns) {
  HealthText text;
  if (ticked_ns == 0 || now_ns - ticked_ns <= kNobodyJudges) return text;
  text.add("the watchdog has not ticked for ");
  add_seconds(text, now_ns - ticked_ns);
  text.add(", and nobody has ended the process for it");
  return text;
}

// Why only a restart helps: "loop hung for 12 s: lock"; empty where nothing is judged so, by
// somebody who still judges.
HealthText why_not_live(Record const& record, std::int64_t now_ns);

}  // namespace canary::watchdog

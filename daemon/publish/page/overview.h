// SPDX-License-Identifier: Apache-2.0
// The page at "/": what is wrong, since when, what to do; how every repository fares; when what
// ends; and whether canaryd itself is well.
// Thread: any (pure).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/results/snapshot.h"

namespace canary::daemon::page {

// A run that goes on, and what it waits for: its logical stack.
struct RunInFlight {
  struct Frame {
    std::string name, place;  // "http.first_byte(host)", "probes/fetch/client.cc:93"
    std::chrono::milliseconds age{0};
    unsigned depth = 1;  // 1 under the run
  };
  std::string probe;
  std::chrono::milliseconds age{0};
  bool stalled = false;  // asked to end, and does not
  std::vector<Frame> frames;
};

// How canaryd itself fares, from what the watchdog knows: true while the loop hangs, too.
struct OwnState {
  bool turns = true;
  std::string why;      // it does not: "the loop has not turned for 150 s: starved of CPU"
  std::string level;    // as judged: "hung"; "" where nobody is accused
  std::string verdict;  // "blocking_call"
  std::string culprit;  // the probe in whose handler it hangs; "" where none is
  std::string ladder;   // what comes next, and when
  std::optional<double> beat_age_s;
  // How late the loop was at worst in each stretch of ten seconds, the last one now; nothing where
  // nobody looked. And from when on that is suspect, or a stall.
  std::vector<std::optional<std::chrono::microseconds>> lag;
  std::chrono::milliseconds lag_suspect{0}, lag_stall{0};
  std::vector<RunInFlight> runs;  // of probes, the oldest first
  std::string last_stall;         // a sentence; "" where there was none
  std::string previous_run;       // how the process before ended; "" where it was in order
  std::string crash;              // what its loop was at then; "" where nobody knows
  std::string post_mortem;        // the dump of that, as StoredDump::name; "" where there is none
  std::vector<std::string> quarantined, stalled;  // probes
  std::uint64_t dumps = 0;
  std::string last_dump;
};

struct OverviewQuery {
  std::string state;  // only these: "failing"; "" all
  std::size_t page = 1;
};

std::string overview_page(Snapshot const& snapshot, OwnState const& own, OverviewQuery const& query,
                          SysTime now);

// The seven states of docs/canaryd.md and "paused": for classes, filters and labels.
enum class State : std::uint8_t { stalled, failing, unknown, stale, degraded, running, ok, paused };
State state_of(ProbeRow const& row, OwnState const& own, SysTime started, SysTime now);
std::string_view name_of(State state);   // "unknown": in addresses and classes
std::string_view label_of(State state);  // "could not tell"
// What ends first of what is known of it: "timestamp in 3 h"; "" where nothing does.
struct NextEnd {
  std::string text;
  bool over = false;
};
NextEnd next_end(ProbeRow const& row, SysTime now);
// "in maintenance until 04:00:00 UTC: storage moves"; "" where it is not.
std::string maintenance_text(ProbeRow const& row, SysTime now);

}  // namespace canary::daemon::page

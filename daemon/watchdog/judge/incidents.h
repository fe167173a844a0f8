// SPDX-License-Identifier: Apache-2.0
// What follows from judgements: incidents that grow through the levels, and what is to be done when
// one does. Repeated stalls are folded: counted and told of, not dumped and logged each time.
// Thread: none (pure; `now` is always a parameter). Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/watchdog/judge/verdict.h"

namespace canary::watchdog {

// What to do; bits.
struct Effect {
  enum : std::uint32_t {
    count = 1,  // levels (from, to] were reached
    log = 2,
    dump = 4,
    suppressed = 8,  // a dump was due, but there were enough of these
    cancel_run = 16,
    mark_stalled = 32,  // the run did not unwind
    remember = 64,      // as the last stall, over a restart
    culprit = 128,      // the loop hangs in a run's handler: count towards its quarantine
    die = 256,          // the loop, or who is as vital, is dead: soon the process is to end
    over = 512,         // it ended by itself
  };
};

struct Step {
  std::uint32_t effects = 0;
  Level from = Level::fine, to = Level::fine;
  std::uint64_t suppressed = 0;  // dumps of this kind of stall that were folded so far
  Incident incident;
};

class Incidents {
 public:
  // Ids continue behind `last_id`.
  explicit Incidents(std::uint64_t last_id = 0) : last_id_(last_id) {}
  // So do those to come, if that is further; open ones keep theirs.
  void go_on_behind(std::uint64_t last_id) {
    if (last_id > last_id_) last_id_ = last_id;
  }

  // A round: begin(), a report() for every judgement, then end() until it gives nothing.
  // While judging pauses nothing is raised and nothing ends. A round of the loop alone lets others
  // be.
  void begin(bool pause, bool loop_only = false);
  Step report(Incident const& judged, std::int64_t now_ns);
  bool end(std::int64_t now_ns, Step& step);

  std::uint64_t last_id() const { return last_id_; }
  std::uint64_t lost() const { return lost_; }
  std::size_t open() const;
  // The places of open incidents; a closed one is fine.
  Incident const& at(std::size_t place) const { return entries_.data()[place].incident; }
  bool is_open(std::size_t place) const { return entries_.data()[place].open; }

  static constexpr std::int64_t kFoldFor = 600'000'000'000;  // the same stall again within this
  static constexpr std::int64_t kMinute = 60'000'000'000;
  static constexpr std::uint32_t kDumpsAMinute = 5;
  static constexpr std::int64_t kDumpAgainAfter = 5'000'000'000;  // at the least

 private:
  struct Entry {
    bool open = false;
    bool reported = false;          // in this round
    std::uint32_t occurrences = 0;  // of this kind, while it folds
    std::uint64_t suppressed = 0;
    std::int64_t dumped_age_ns = 0;
    std::int64_t ended_ns = 0;
    Incident incident;
  };

  Entry* find_open(Incident const& judged);
  Entry* begin_entry(Incident const& judged, std::int64_t now_ns);
  bool may_dump(Level level, std::int64_t now_ns);
  void choose_dump(Entry& entry, bool raised, std::int64_t now_ns, Step& step);

  std::array<Entry, kIncidents> entries_{};
  std::uint64_t last_id_;
  std::uint64_t lost_ = 0;
  bool paused_ = false;
  std::size_t ending_ = 0;
  std::array<std::int64_t, kDumpsAMinute> dumped_ns_{};
};

}  // namespace canary::watchdog

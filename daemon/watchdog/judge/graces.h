// SPDX-License-Identifier: Apache-2.0
// The grace of all that is judged: whose age leaves out which time.
//
//     graces.add_all(assess(...), moment);       // what the machine did to everybody
//     graces.add_loop(withheld, moment);         // the loop's thread by itself
//     graces.add_runs(late, disk, moment);       // what waits for the loop or the disk
//     judge_loop(..., graces.loop(), now);
//
// Thread: none (pure). Allocates nothing.
#pragma once

#include <cstdint>

#include "daemon/watchdog/judge/grace.h"
#include "daemon/watchdog/judge/moment.h"
#include "daemon/watchdog/judge/surroundings.h"

namespace canary::watchdog {

class Graces {
 public:
  void add_all(Assessment const& found, Moment const& at) {
    all_ns_ = found.grace_ns;
    starved_ns_ = found.starved_ns;
    all_.add(at.previous_ns, at.now_ns, all_ns_ - starved_ns_, all_ns_);
  }

  // `withheld_ns` of the time since the last look was withheld from the loop's thread.
  void add_loop(std::int64_t withheld_ns, Moment const& at) {
    loop_ns_ = withheld_ns > all_ns_ ? withheld_ns : all_ns_;
    loop_.add(at.previous_ns, at.now_ns, all_ns_ - starved_ns_, loop_ns_);
  }

  // A run cannot move while the loop does not turn, and waits a little for a state directory that
  // stands still: that is the disk's incident, once.
  void add_runs(bool loop_late, bool disk_stalled, Moment const& at) {
    std::int64_t const elapsed = at.now_ns - at.previous_ns;
    runs_.add(at.previous_ns, at.now_ns, loop_late ? elapsed : loop_ns_);
    waiting_.add(at.previous_ns, at.now_ns, loop_late || disk_stalled ? elapsed : loop_ns_);
  }

  // `withheld_ns` of the time since `from_ns` was withheld from one of the server's threads.
  void add_server(std::int64_t withheld_ns, std::int64_t from_ns, std::int64_t now_ns) {
    std::int64_t const all = all_.whole(from_ns, now_ns);
    server_.add(from_ns, now_ns, all_.everybodys(from_ns, now_ns),
                withheld_ns < all ? all : withheld_ns);
  }

  ThreadGrace const& all() const { return all_; }
  ThreadGrace const& loop() const { return loop_; }
  ThreadGrace const& server() const { return server_; }
  Grace const& runs() const { return runs_; }        // of what only the loop holds up
  Grace const& waiting() const { return waiting_; }  // of what waits for the disk, too

 private:
  ThreadGrace all_, loop_, server_;
  Grace runs_, waiting_;
  std::int64_t all_ns_ = 0, starved_ns_ = 0, loop_ns_ = 0;  // of the time since the last look
};

// For a few looks after the whole process was held, nobody is judged: all have to come round first.
// Who is held again and again, or so starved that it looks like it, is judged in between.
class JudgingPause {
 public:
  static constexpr int kLooks = 3;

  // Once a look; `held`: the process was, since the last.
  void look(bool held) {
    if (held && (paused_ > 0 || judged_ >= kLooks)) {
      paused_ = kLooks;
      judged_ = 0;
    } else if (paused_ > 0) {
      --paused_;
    } else if (judged_ < kLooks) {
      ++judged_;
    }
  }
  bool on() const { return paused_ > 0; }

 private:
  int paused_ = 0, judged_ = 0;
};

}  // namespace canary::watchdog

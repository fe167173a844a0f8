// SPDX-License-Identifier: Apache-2.0
// Does what follows from a judgement: lines, dumps, cancels, quarantine, the end of the process.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/watchdog/act/dumps.h"
#include "daemon/watchdog/act/kept_memory.h"
#include "daemon/watchdog/act/process_end.h"
#include "daemon/watchdog/act/run_actions.h"
#include "daemon/watchdog/judge/grace.h"
#include "daemon/watchdog/judge/incidents.h"
#include "daemon/watchdog/judge/moment.h"
#include "daemon/watchdog/tell/line_writer.h"
#include "daemon/watchdog/tell/record_writer.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class Actions {
 public:
  struct Policy {
    OnDead on_dead = OnDead::abort;
    int quarantine_after = 3;
    std::int64_t quarantine_window_ns = 600'000'000'000;
  };
  // All outlive this.
  struct Parts {
    Dumps& dumps;
    KeptMemory& memory;
    RunActions& runs;
    ProcessEnd& end;
    Record& record;
    RecordWriter& writer;
    LineWriter& lines;
  };
  explicit Actions(Parts const& parts) : parts_(parts) {}

  void set_policy(Policy const& policy) { policy_ = policy; }
  void act(Step const& step, Incidents const& incidents, Moment const& at);

  // Ends the process once it is dead for long, or a stop that should be over by `stop_limit_ns`
  // (monotonic; 0: none) is not. `grace`: everybody's.
  void end_if_due(std::int64_t stop_limit_ns, Incidents const& incidents, ThreadGrace const& grace,
                  Moment const& at);
  // Something is dead, and the process is about to end for it.
  bool dying() const { return dying_ns_ != 0; }
  // When the last incident began or grew, monotonic.
  std::int64_t raised_ns() const { return raised_ns_; }

 private:
  void over(Step const& step);
  void raised(Step const& step, Incidents const& incidents, Moment const& at);
  void quarantine(Incident const& incident, Moment const& at);
  void end_late_stop(std::int64_t limit_ns, Incidents const& incidents, ThreadGrace const& grace,
                     std::int64_t now_ns);

  Parts parts_;
  Policy policy_;
  std::int64_t raised_ns_ = 0;
  std::int64_t dying_ns_ = 0;
  Incident dying_;
  bool stop_dumped_ = false;
};

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// Starts probes when they are due, bounds them by their deadlines, and hands over their reports.
// Every run is its child: when it has stopped, nothing of any run is left.
// Thread: loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/log/log.h"
#include "daemon/results/store.h"
#include "daemon/schedule/admission.h"
#include "daemon/schedule/schedule.h"
#include "probes/report.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/task_group.h"
#include "runtime/trace.h"

namespace canary::daemon {

// One run: adds findings to the report as it makes them, throws only when it is cancelled.
// `report` outlives the task.
using RunProbe = std::function<runtime::Task<void>(config::ProbeSpec, runtime::Deadline,
                                                   runtime::Trace, probes::Report& report)>;

class Scheduler {
 public:
  // `results` and `log` outlive the scheduler.
  Scheduler(runtime::Executor executor, config::SchedulerSettings settings, RunProbe run_probe,
            ResultStore& results, Log& log);

  void set(config::SchedulerSettings settings);
  // Watched from now on, as told. One that is the same keeps its times and its state; a run of one
  // that changed is cancelled, and the probe is due anew. REQUIRES: it is enabled, and `results`
  // knows it.
  void put(std::shared_ptr<config::ProbeSpec const> spec);
  // Not watched any more; a run of it is cancelled.
  void drop(std::string const& name);
  std::vector<std::string> names() const;  // of what is watched

  // Runs until request_stop(), then cancels what is running and waits `stop_timeout` for it.
  // True when nothing was left.
  runtime::Task<bool> run();
  void request_stop();

  // Ends the run at that place of the tables, for want of progress; false where it is over already.
  // Its slot stays taken until it has unwound: a second run of the probe is never started beside
  // it.
  bool cancel(std::uint16_t run, std::uint32_t generation);

  // A run besides the schedule, which stays as it is.
  enum class RunNow : std::uint8_t {
    taken,        // begins as soon as the limits allow: after the run that goes on, if one does
    unknown,      // no such probe, or it is not enabled
    quarantined,  // it is not run until a reload or restart
    stopping
  };
  // True once a run that began after the call has ended with a report; false where none will: a
  // reload took the probe away or changed it, or the daemon stops.
  using RunEnded = std::function<void(bool with_report)>;
  // `ended` is called once where it is `taken`, on the loop, and must not wait.
  RunNow run_now(std::string const& probe, RunEnded ended);
  // What the run that goes on began from does not hold any more: nothing is concluded from it, and
  // another one begins when it has unwound. Nothing where none goes on.
  void begin_anew(std::string_view probe);

  // Asked before each run: a quarantined probe is skipped (as paused).
  void set_quarantine(std::function<bool(std::string_view probe)> quarantined);
  // How long the loop was held so far, as runtime::loop_held(), which it is unless set.
  void set_held(std::function<std::chrono::nanoseconds()> held);
  // Called after each run that ended with a report, on the loop; it must not wait.
  void set_ended(std::function<void(Changes const&)> ended);
  // Likewise where so many due runs of a probe did not start, or concluded nothing.
  using Skipped = std::function<void(std::string_view probe, SkipReason, std::uint64_t count)>;
  void set_skipped(Skipped skipped);

 private:
  struct Probe {
    std::shared_ptr<config::ProbeSpec const> spec;
    std::string host;
    int disturbed = 0;  // runs in a row that were set aside
  };
  struct Run;

  void withdraw(std::string const& name);
  void start_what_is_due(TimePoint now);
  void start_admitted(TimePoint now);
  runtime::Task<void> run_one(std::shared_ptr<config::ProbeSpec const> spec,
                              std::shared_ptr<Run> run);
  runtime::Task<void> run_and_conclude(std::shared_ptr<config::ProbeSpec const> spec,
                                       std::shared_ptr<Run> run);
  void conclude(config::ProbeSpec const& spec, probes::Report report,
                std::chrono::nanoseconds duration);
  bool set_aside(config::ProbeSpec const& spec, probes::Report const& report,
                 std::chrono::nanoseconds held);
  void repeat(std::string const& probe);
  void tell_who_asked(std::string const& name, Run& run, bool again);
  void tell_all_who_wait();
  runtime::Task<void> count_what_was_slept_through(runtime::Trace trace);
  void skip(std::string_view probe, SkipReason reason, std::uint64_t count);
  void publish_next(std::string const& probe, TimePoint now);

  runtime::Executor executor_;
  config::SchedulerSettings settings_;
  RunProbe run_probe_;
  ResultStore& results_;
  Log& log_;
  Schedule schedule_;
  Admission admission_;
  std::map<std::string, Probe, std::less<>> probes_;
  std::map<std::string, std::shared_ptr<Run>, std::less<>> runs_;    // by probe
  std::map<std::string, std::vector<RunEnded>, std::less<>> asked_;  // for runs yet to begin
  runtime::Event changed_;
  std::function<bool(std::string_view)> quarantined_;
  std::function<void(Changes const&)> ended_;
  Skipped skipped_;
  std::function<std::chrono::nanoseconds()> held_;
  std::chrono::nanoseconds slept_;  // by the machine, when it was last looked at
  bool stopping_ = false;
  runtime::TaskGroup tasks_;  // last: its tasks use all of the above
};

}  // namespace canary::daemon

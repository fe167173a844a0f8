// SPDX-License-Identifier: Apache-2.0
// What the watchdog's thread does: sleep, look, judge, act, tell.
//
//     sample/  LoopSampler, ThreadSampler, EnvironmentReader, ServerQuestion: what there is
//     judge/   judge_*(), Graces, Incidents: what of it is wrong, since when, whose fault
//     act/     Actions, Dumps, SystemdFeed: what follows
//     tell/    RecordWriter, LineWriter, StandIn: who hears of it
//
// Thread: the watchdog's, which allocates nothing and takes no lock: neither here nor in what is
// called from here. tests/daemon/watchdog/symbols_test.py holds it to that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/watchdog/act/actions.h"
#include "daemon/watchdog/act/systemd_feed.h"
#include "daemon/watchdog/inputs.h"
#include "daemon/watchdog/judge/graces.h"
#include "daemon/watchdog/judge/incidents.h"
#include "daemon/watchdog/judge/moment.h"
#include "daemon/watchdog/judge/standing.h"
#include "daemon/watchdog/phases.h"
#include "daemon/watchdog/sample/environment.h"
#include "daemon/watchdog/sample/loop_sampler.h"
#include "daemon/watchdog/sample/server_question.h"
#include "daemon/watchdog/sample/thread_sampler.h"
#include "daemon/watchdog/tell/line_writer.h"
#include "daemon/watchdog/tell/record_writer.h"
#include "daemon/watchdog/tell/stand_in.h"

namespace canary::watchdog {

class Sentinel {
 public:
  Sentinel(Setup const& setup, Inputs& inputs, Record& record, WatchdogLines& lines,
           MemoryBlock& block);
  void run();

 private:
  void sleep(bool fast);
  void look_around(std::int64_t slept_from_ns, std::int64_t planned_ns);
  void tick();
  void listen();  // to what others said
  void adopt();
  void claim_row(runtime::Tables& tables);

  void look_at_tables(runtime::Tables& tables);
  void judge_the_loop(runtime::Tables& tables, LoopSampler::Look const& look);
  void judge_the_rest(runtime::Tables& tables);
  void judge_runs(runtime::Tables& tables);
  void judge_scheduler(runtime::Tables& tables);
  void judge_the_server();
  std::int64_t withheld_from_server(std::int64_t silent_since_ns, std::int64_t from_ns);
  void note_mute();
  void judge_pools(runtime::Tables& tables);
  void judge_pool_queue(Subject pool, QueueFacts const& queue, bool held, std::string_view name);
  void judge_threads(runtime::Tables& tables);
  void judge_thread(runtime::ThreadRecord const& row, JobFacts job, std::int32_t thread);
  bool is_gone(runtime::ThreadRecord const& row, std::uint8_t kind, std::int32_t thread);
  void report_ended(runtime::ThreadRecord const& row, Subject subject, std::size_t place);
  void report(Incident const& judged);

  void dump_before_the_end();
  void feed_systemd();
  void keep_alive_time();

  Setup setup_;
  Inputs& inputs_;
  Record& record_;
  Settings settings_;
  Moment at_;
  Surroundings around_;

  EnvironmentReader environment_;
  LoopSampler loop_;
  ThreadSampler threads_;
  ServerQuestion server_;

  Graces graces_;
  JudgingPause pause_;
  Incidents incidents_;
  LoopWatch loop_watch_;
  PartsStanding standing_;

  LineWriter lines_;
  RecordWriter writer_;
  StandIn stand_in_;

  Dumps dumps_;
  KeptMemory memory_;
  RunActions runs_;
  ProcessEnd process_end_;
  Actions actions_;
  SystemdFeed systemd_;
  Phases phases_;

  std::int64_t costly_ns_ = 0, full_ns_ = 0, alive_ns_ = 0, server_looked_ns_ = 0;
  std::uint32_t lifted_ = 0, live_runs_ = 0;
  bool loop_late_ = false, disk_stalled_ = false, mute_said_ = false, tables_left_ = false;
  std::array<std::int64_t, runtime::kThreads> gone_ns_{};  // since when the row's thread is gone
  runtime::ThreadRecord* row_ = nullptr;
  runtime::Tables* row_in_ = nullptr;
};

}  // namespace canary::watchdog

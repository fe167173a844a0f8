// SPDX-License-Identifier: Apache-2.0
// What the watchdog's thread does: sleep, look, judge, act.
// Thread: the watchdog's, which allocates nothing and takes no lock: neither here nor in what is
// called from here. tests/daemon/watchdog/symbols_test.py holds it to that.
#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "daemon/watchdog/act/dumper.h"
#include "daemon/watchdog/act/listeners.h"
#include "daemon/watchdog/act/memory.h"
#include "daemon/watchdog/act/notify.h"
#include "daemon/watchdog/act/takeover.h"
#include "daemon/watchdog/judge/incidents.h"
#include "daemon/watchdog/sample/answering.h"
#include "daemon/watchdog/sample/environment.h"
#include "daemon/watchdog/sample/proc_reader.h"
#include "daemon/watchdog/sample/self_channels.h"
#include "daemon/watchdog/sample/server_question.h"
#include "daemon/watchdog/sample/tables_view.h"
#include "daemon/watchdog/tell/emergency_board.h"
#include "daemon/watchdog/tell/lines.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

enum class OnDead : std::uint8_t { abort, exec, report };

// What may change while the watchdog runs.
struct Settings {
  Limits limits;
  OnDead on_dead = OnDead::abort;
  int quarantine_after = 3;
  std::int64_t quarantine_window_ns = 600'000'000'000;
};

// What comes once the configuration is read. Given once.
struct Adopted {
  MemoryBlock* block = nullptr;  // instead of the one that there was at first
  int memory = -1;               // eventfd: it is to be written down
  Dumper dumper;
};

// What others tell the watchdog. Published members have one writer each: control, the loop's thread
// for `sentence`.
struct Inputs {
  std::atomic<bool> end{false};
  std::atomic<std::uint64_t> progress{0};
  std::atomic<std::uint32_t> ready{0}, reloading{0}, reloaded{0};  // how often
  std::atomic<std::uint32_t> lift_quarantine{0};
  std::atomic<std::int64_t> stop_limit_ns{0};  // monotonic; 0: not stopping
  std::atomic<std::int64_t> resolve_ns{0};     // 0: as in the limits
  // A thread is about to end the process and waits for a dump of it; 2 once that is written.
  std::atomic<std::uint32_t> ending{0};
  Adopted adopted;  // complete once `adopt` is 1; 2: it is taken over
  std::atomic<std::uint32_t> adopt{0};
  runtime::Published<Settings> settings;
  runtime::Published<PreambleText> preamble;  // of the emergency page
  Answering answering;                        // written by the server's threads
  SelfChannels asking;                        // given by the server
  Listeners listeners;
  Takeover takeover;
  runtime::Published<std::array<char, 128>> sentence;
  runtime::Published<std::array<char, 128>>
      step;  // what main is at while it starts, reloads or stops
};

// Fixed from the start on.
struct Setup {
  Dumper dumper;
  NotifyAddress notify;
  char** arguments = nullptr;
  char** environment = nullptr;
  sigset_t signals{};  // blocked by the thread that made us, for exec
  int niceness = 0;    // likewise
  std::int32_t process = 0;
  int processors = 1;
  int wake = -1;                        // eventfd: a dump is asked for, or the end
  int cancel = -1;                      // eventfd: a run is to be cancelled
  int memory = -1;                      // eventfd: the memory is to be written down; -1: not yet
  EmergencyBoard* emergency = nullptr;  // outlives the thread; read by another one,
  int emergency_wake = -1;              // which this eventfd wakes
  std::uint64_t stack_low = 0, stack_high = 0;
  runtime::TextOffset job = 0;  // what the thread's row says that it does
};

class Sentinel {
 public:
  Sentinel(Setup const& setup, Inputs& inputs, Record& record, WatchdogLines& lines,
           MemoryBlock& block);
  void run();

 private:
  static constexpr std::size_t kSamples = 12;
  static constexpr std::size_t kWatched = 48;

  // The last samples of a thread, to compare the newest with one that is old enough.
  struct History {
    std::array<ThreadSample, kSamples> samples{};
    std::array<std::uint64_t, kSamples> counts{};  // handlers or jobs done then
    std::size_t added = 0;
    void add(ThreadSample const& sample, std::uint64_t count);
    ThreadSample const& newest() const;
    std::size_t compared() const;  // the index of the sample to compare with
    void clear() { added = 0; }
  };
  // The CPU time that a thread used in one handler or job, since that was first seen.
  struct Usage {
    std::int64_t since_ns = 0, cpu_ns = 0;
    std::int64_t in(std::int64_t work_since_ns, ThreadSample const& now);
  };
  // A thread beside the loop.
  struct Watched {
    ThreadFiles files;
    History history;
    bool seen = false;
    ThreadSample beside;  // taken with the loop's, while that waits for a lock
    std::int64_t ahead_ns = 0;
    Usage usage;  // of the job that it is at
    std::int64_t withheld_ns = 0, job_ahead_ns = 0;
  };
  // The pools' threads that are at something.
  void sleep(bool fast);
  void look_around(std::int64_t slept_from_ns, std::int64_t planned_ns);
  void note_disturbance(Disturbance kind, std::int64_t lasted_ns);
  void tick();
  void listen();  // what others told
  void adopt();
  void claim_row(runtime::Tables& tables);
  void release_row();

  LoopFacts look_at_loop(runtime::Tables& tables);
  void sample_loop(runtime::Tables& tables, bool full);
  std::int64_t withheld_from(runtime::Tables& tables, bool (*of)(std::uint8_t kind),
                             std::int64_t from_ns);
  std::int64_t withheld_from_holders(runtime::Tables& tables);
  void add_grace_of_runs(LoopFacts const& loop);
  void judge_the_loop(runtime::Tables& tables, LoopFacts const& loop);
  void tell_of_standing(LoopFacts const& loop, Incident const& judged, Verdict seen);
  void judge_the_rest(runtime::Tables& tables);
  void judge_runs(runtime::Tables& tables);
  void judge_pools(runtime::Tables& tables);
  void judge_thread(runtime::ThreadRecord const& row, JobFacts job, std::int32_t thread);
  void judge_threads(runtime::Tables& tables);
  bool is_gone(runtime::ThreadRecord const& row, std::uint8_t kind, std::int32_t thread);
  void report_ended(runtime::ThreadRecord const& row, Subject subject, std::size_t place);
  void stands(Subject subject, Verdict seen);
  void publish_standing();
  void judge_pool_queue(Subject pool, QueueFacts const& queue, bool held, std::string_view name);
  Watched* watched(std::int32_t thread);
  void ask_server();
  void add_grace_of_server(std::int64_t silent_since_ns);
  void stand_in(std::int64_t silent_since_ns);
  void share_listeners(bool answering);
  bool threads_fail(std::size_t listener) const;
  std::uint64_t emergency_answers() const;
  void claim_emergency(std::int64_t silent_since_ns);
  void say_of_emergency(Line::Kind kind, std::int64_t nanoseconds);
  void write_emergency_texts(std::int64_t silent_ns);

  void report(Incident const& judged);
  void act(Step const& step);
  void remember(Step const& step);
  void count_for_quarantine(Incident const& incident);
  void cancel_run(Incident const& incident);
  void mark_stalled(Incident const& incident);
  void publish_incidents();
  void publish_memory();
  void publish_quarantine();
  void say(Line::Kind kind, Incident const& incident, std::int64_t nanoseconds = 0,
           std::uint64_t count = 0);
  void push(Line const& line);

  void start_dump(Incident const* about, std::string_view reason, std::uint64_t request);
  void go_on_with_dump();
  void finish_dump();
  void tell_of_unreadable(std::uint64_t dumps);
  void dump_on_request();
  void dump_before_the_end();

  void end_if_due();
  void end_process();
  [[noreturn]] void give_up();
  void exec_anew();

  void feed_systemd();
  std::uint64_t progress();
  void write_status(Sentence& sentence) const;
  void write_step(Sentence& sentence) const;
  void note_hung(bool hung);
  void keep_alive_time();

  Setup setup_;
  Inputs& inputs_;
  Record& record_;
  WatchdogLines& lines_;
  Memory memory_;
  MemoryBlock* block_;
  Settings settings_;
  Notifier notifier_;
  ServerQuestion server_;
  EmergencyTexts texts_;
  EnvironmentReader environment_;
  Surroundings around_;
  ThreadGrace for_all_, for_loop_, for_server_;
  Grace for_runs_, for_waiting_;
  Incidents incidents_;

  std::int64_t now_ns_ = 0, previous_ns_ = 0;
  int pause_ticks_ = 0, judged_ticks_ = 0;
  std::int64_t costly_ns_ = 0, full_ns_ = 0, alive_ns_ = 0, disturbed_ns_ = 0, raised_ns_ = 0;
  std::int64_t polled_ns_ = 0, server_looked_ns_ = 0;
  std::uint32_t ready_ = 0, reloading_ = 0, reloaded_ = 0, lifted_ = 0;
  bool stopping_ = false, tables_left_ = false;
  std::uint32_t draining_ = 0, drained_ = 0;  // runs that go on while stopping, and that ended
  std::int64_t resolve_ns_ = 0;

  std::int64_t entered_ns_ = 0, left_ns_ = 0, ahead_ns_ = 0;
  std::uint64_t handlers_before_ = 0, beats_pinged_ = 0;
  std::int64_t grace_all_ns_ = 0, starved_all_ns_ = 0, grace_loop_ns_ = 0;  // of this tick
  Usage loop_usage_;
  int standing_ticks_ = 0;
  bool standing_said_ = false;
  bool loop_late_ = false, loop_traced_ = false, disk_stalled_ = false;
  Place loop_place_;
  ThreadFiles loop_files_;
  History loop_history_;
  std::array<Watched, kWatched> watched_{};
  std::array<std::int64_t, runtime::kThreads> gone_ns_{};  // since when the row's thread is gone
  // By the wall clock, in this round and told; none: it does not stand still.
  std::array<Verdict, kSubjects> standing_{}, standing_before_{};
  bool mute_said_ = false, vital_hung_ = false, emergency_claimed_ = false;
  std::uint64_t emergency_answers_ = 0;  // when it last began to answer
  runtime::ThreadRecord* row_ = nullptr;
  runtime::Tables* row_in_ = nullptr;
  std::uint32_t live_runs_ = 0;

  bool dump_open_ = false;
  int samples_left_ = 0;
  std::int32_t sampled_thread_ = 0;
  std::int64_t next_sample_ns_ = 0, requested_dump_ns_ = 0;
  std::uint64_t dump_request_ = 0, dump_served_ = 0;
  Incident dump_about_;
  std::array<Incident, kIncidents> dump_incidents_{};
  std::array<bool, kIncidents> shown_{};

  std::int64_t dying_ns_ = 0, killed_ns_ = 0;
  bool stop_dumped_ = false;
  Incident dying_;
};

}  // namespace canary::watchdog

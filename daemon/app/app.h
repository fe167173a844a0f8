// SPDX-License-Identifier: Apache-2.0
// The daemon's graph of everything: builds it, starts it in order, reloads it, stops it in order.
// The only place that sees all parts.
// Thread: control.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "daemon/app/app_options.h"
#include "daemon/app/dumps.h"
#include "daemon/app/load_all.h"
#include "daemon/app/places.h"
#include "daemon/app/services.h"
#include "daemon/app/state_lock.h"
#include "daemon/app/steps.h"
#include "daemon/discovery/discovery.h"
#include "daemon/discovery/taken_lists.h"
#include "daemon/log/log.h"
#include "daemon/publish/orders.h"
#include "daemon/publish/reloads.h"
#include "daemon/publish/server.h"
#include "daemon/publish/web_gate.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/aside.h"
#include "runtime/loop.h"
#include "runtime/stage.h"
#include "runtime/task.h"

namespace canary::daemon {

class App {
 public:
  struct Setup {
    AppOptions options;
    config::Config config;    // what the files say
    TakenLists lists;         // of probes, as they were kept
    WebAccessPointer access;  // nullptr: plain HTTP for everybody
    StateLock lock;
    std::size_t descriptors = 0;   // that may be open (RLIMIT_NOFILE)
    Log& log;                      // outlives it: dumps have its last lines
    watchdog::Watchdog& watchdog;  // likewise; ended by it, for it reads what is here
    Steps& steps;                  // outlives it
    Reloads& reloads;              // outlives it
    std::stop_token stop;          // a start ends at its next step, a reload at once
    // look_after_lists() has something to do. Thread: any.
    std::function<void()> lists_came;
  };
  // Throws std::system_error where there is no thread or no memory to be had.
  explicit App(Setup setup);
  // The watchdog watches to the last; then whatever it reads for a dump may go, and only when it
  // has ended may the log stop asking it for lines.
  ~App();
  App(App const&) = delete;
  App& operator=(App const&) = delete;

  // False, after a line in the log, when the daemon cannot run or serve, or was told to stop.
  bool start();
  // Reads the configuration again, on a thread of its own, for `patience` at most: what stands
  // still then is left alone, and no further reload is taken until it has ended. What came of it is
  // in the log, too.
  ReloadOutcome reload();
  // The dump helper and what it leaves undone; once a second. Waits for nothing.
  void look_after_dumps();
  // Lists of probes that their sources gave: read on a thread of its own, then taken over. Waits
  // for moments only.
  void look_after_lists();
  // Exit code. A loop that does not answer ends the process here and now.
  int stop();

 private:
  // What a reload reads.
  struct Reading {
    Result<LoadedAll, std::vector<config::Problem>> loaded;
    TakenLists lists;      // under what was loaded
    config::Config whole;  // with them
    SavedStates saved;
  };
  // Lists that were offered, read under `base` beside `lists`.
  struct ListsRead {
    std::shared_ptr<config::Config const> base;
    std::vector<FetchedListPointer> offered;
    TakenLists lists;
    std::vector<RefusedList> refused;
    config::Config whole;
    SavedStates saved;
  };

  bool start_all();
  bool step(std::string const& what);
  void start_reading();
  ReloadOutcome reload_now();
  ReloadOutcome take_over(Reading reading);
  void refuse_reload(std::string const& why);
  void offer_lists(std::vector<FetchedListPointer> lists);  // thread: any
  std::vector<FetchedListPointer> take_offers();
  void read_lists(std::vector<FetchedListPointer> offered);
  static ListsRead read_offered(ListsRead read, config::Config const& known, Log& log,
                                runtime::Stage& at);
  void take_over_lists(ListsRead read);
  void refuse_lists(std::vector<RefusedList> refused);
  static std::vector<ListInForce> in_force(TakenLists const& lists);
  void ask(runtime::Task<void> work);
  // What the loop takes over whole or not at all. Throws as ask() does where it is not taken over,
  // then or later; where the loop is at it, and slow, that is said.
  void ask_for_whole(std::function<runtime::Task<void>(Services::Decided decided)> const& change);
  config::Config fit(config::Config config);
  void tell_of_folders();
  void tell_of_share();
  void tell_longest_lookup(config::Config const& config);  // for the watchdog

  // What surrounds the HTTP server: app_server.cc.
  Sources sources();
  void tell_of_full(std::string_view address, std::size_t most, bool full);
  void watch_server(std::size_t inherited);
  std::string own_page();
  void show_config();
  std::string config_text() const;
  std::string probe_config(std::string const& probe) const;
  std::string private_socket();
  // Thread: control or loop. False, and said, where it has to wait for a restart.
  bool take_access(WebAccessPointer const& access);
  void refuse_access(std::vector<config::Problem> const& problems);
  void guard_listeners();
  // Which of those that were handed over are served; nothing, and said, where that is impossible.
  std::optional<std::vector<int>> inherited_listeners();

  AppOptions options_;
  std::shared_ptr<config::Config const> base_;    // what the files say
  std::shared_ptr<TakenLists const> lists_;       // in force beside them
  std::shared_ptr<config::Config const> config_;  // in effect: both
  mutable std::mutex shown_mutex_;                // held for moments
  std::shared_ptr<config::Config const> shown_;   // config_, for the server's threads
  // As text, once somebody has asked: of thousands of probes that takes its time.
  mutable std::shared_ptr<std::string const> shown_text_;
  std::size_t descriptors_;
  std::stop_token stop_;
  Places places_;
  StateLock lock_;  // before anything is touched there, until all is written
  Dumps dumps_;     // may make larger tables, which all threads to come have rows in
  Log& log_;
  Steps& steps_;
  Reloads& reloads_;
  watchdog::Watchdog& watchdog_;
  std::optional<WebGate> gate_;
  std::atomic<std::size_t> outside_listeners_{0};
  std::mutex access_mutex_;               // held for moments
  std::string access_waits_for_restart_;  // identity of the last that was said to
  runtime::Loop loop_;
  std::unique_ptr<Services> services_;
  Orders orders_;
  bool left_behind_ = false;                        // threads that wait for a disk
  std::unique_ptr<Server> server_;                  // last: reads the results of services_
  std::optional<runtime::Aside<Reading>> reading_;  // of the last reload; it may stand still
  std::shared_ptr<runtime::Stage> reading_at_;      // what that is at
  std::function<void()> lists_came_;
  std::mutex offers_mutex_;  // held for moments
  std::vector<FetchedListPointer> offers_;
  std::optional<runtime::Aside<ListsRead>> lists_reading_;  // it may stand still
  std::shared_ptr<runtime::Stage> lists_reading_at_;
  StandingStill lists_standing_;
};

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Everything that lives on the loop, in the order it needs each other: pools, HTTP, results,
// keeper, scheduler. Thread: constructor and destructor any, while the loop does not run or nothing
// of it is left there; tasks the loop.
#pragma once

#include <any>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/result.h"
#include "daemon/app/app_options.h"
#include "daemon/app/lasting_tasks.h"
#include "daemon/app/places.h"
#include "daemon/app/removed_probes.h"
#include "daemon/app/state_keeper.h"
#include "daemon/app/web_files.h"
#include "daemon/discovery/discovery.h"
#include "daemon/history/recorder.h"
#include "daemon/log/log.h"
#include "daemon/publish/orders.h"
#include "daemon/push/remote_write.h"
#include "daemon/results/store.h"
#include "daemon/schedule/scheduler.h"
#include "daemon/watchdog/watchdog.h"
#include "probes/fetch/services.h"
#include "probes/probe.h"
#include "runtime/deadline.h"
#include "runtime/file_threads.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "runtime/task_group.h"
#include "runtime/workers.h"

namespace canary::daemon {

// Where what is known of each probe is kept over a restart.
std::filesystem::path saved_directory(config::Config const& config);

// The time of results and logs.
SysTime wall_now();

class Services {
 public:
  // `log` and `watchdog` outlive it.
  Services(config::Config const& config, std::string config_file, runtime::Executor executor,
           Log& log, watchdog::Watchdog& watchdog);

  // Before the start.
  void put_around_runs(std::function<RunProbe(RunProbe, AppParts)> const& around,
                       runtime::Loop& loop, Log& log);

  // The metrics, which `page` gives on a worker, are sent to `settings.url`.
  void send_metrics(config::RemoteWriteSettings settings, std::function<std::string()> page);

  // Lists of probes to be read together go to `offer`, which waits for nothing. Thread of that:
  // loop.
  void discover(std::function<void(std::vector<FetchedListPointer>)> offer);

  void watch(WebFiles files) { web_files_ = std::move(files); }

  ResultStore const& results() const { return results_; }
  history::Recorder& history() { return history_; }
  // Nothing where no metrics are sent. Thread: any.
  std::optional<push::Counts> pushed() const;

  // Of what may never return, what goes on still: a sentence each. Thread: any.
  std::vector<std::string> standing() const;

  // These run on the loop.
  runtime::Task<void> start(config::Config config, SavedStates saved,
                            std::vector<ListInForce> lists);
  // Whoever sets it first decides: the loop, which then takes over what it was handed, whole, also
  // where the one that waits for it is cancelled; or that one, who waits no longer.
  using Decided = std::shared_ptr<std::atomic<bool>>;
  runtime::Task<void> reconfigure(config::Config config, SavedStates saved,
                                  std::vector<ListInForce> lists, Decided decided);
  // Lists that were offered are in force, as `config` has it.
  runtime::Task<void> take_lists(config::Config config, SavedStates saved,
                                 std::vector<ListInForce> lists, Decided decided);
  // A list that was offered is not taken. For the loop.
  void refuse_list(RefusedList list);
  // The configuration of a reload was refused.
  runtime::Task<void> refuse(std::string why);
  // The files of --web.config.file: refused, or in force (again). For the loop.
  void web_files_refused(std::string why);
  void web_files_accepted();
  // Whatever comes of it, the ticket is ended, unless a disk stands still; a function for the loop.
  void carry_out(Order const& order, std::shared_ptr<Orders::Ticket> const& ticket) noexcept;
  // Of the HTTP client, beyond those that each run has. Thread: any.
  void allow_spare_connections(std::size_t most) { http_.spare.limit(most); }
  // True when every run has unwound.
  runtime::Task<bool> stop();

 private:
  enum class Change : std::uint8_t { configuration, lists };
  runtime::Task<void> see_through(runtime::Task<void> work, Decided decided);
  runtime::Task<void> through(runtime::Task<void> work);
  runtime::Task<void> reconfigure_now(config::Config config, SavedStates saved,
                                      std::vector<ListInForce> lists);
  runtime::Task<void> take_lists_now(config::Config config, SavedStates saved,
                                     std::vector<ListInForce> lists);
  runtime::Task<void> apply(std::shared_ptr<config::Config const> config, SavedStates saved,
                            Change change);
  void accepted(config::Config const& config);
  void note_refusal(std::string why);
  runtime::Task<void> schedule();
  void describe_now();
  runtime::Task<void> describe();
  runtime::Task<void> tend_threads();
  void remember(Changes const& changes);
  void remember_hangs();
  void forget(Order const& order, std::shared_ptr<Orders::Ticket> const& ticket);
  void forgotten(Order const& order, Result<std::size_t, std::string> const& removed,
                 Orders::Ticket& ticket);
  void run_now(Order const& order, std::shared_ptr<Orders::Ticket> const& ticket);
  void tell_of_state_directory();
  void tell_of_unwritten(bool history);
  runtime::Task<void> send_last_metrics();
  std::string sentence() const;
  runtime::Task<void> run(config::ProbeSpec spec, runtime::Deadline deadline, runtime::Trace trace,
                          probes::Report& report);

  Log& log_;
  watchdog::Watchdog& watchdog_;
  Places places_;
  runtime::Executor executor_;
  runtime::Workers cpu_, disk_;  // disk: the state directory
  runtime::FileThreads files_;   // everybody else's files
  fetch::Services http_;
  struct Memory {
    std::shared_ptr<std::any> kept = std::make_shared<std::any>();
    std::string_view kind;  // its name
  };
  std::map<std::string, Memory> memories_;  // what kinds keep, by probe
  bool state_silent_ = false;
  ResultStore results_;
  RunProbe run_probe_;
  StateKeeper keeper_;
  history::Recorder history_;
  RemovedProbes removed_;
  std::int64_t last_hang_ns_ = 0;  // wall clock, of the one that the history was told of
  Scheduler scheduler_;
  bool scheduling_ = false;
  std::optional<bool> scheduler_ended_;
  std::optional<WebFiles> web_files_;
  std::optional<push::RemoteWrite> remote_write_;
  std::optional<Discovery> discovery_;
  bool config_refused_ = false, web_refused_ = false;  // the last attempt at each
  bool changing_ = false;                              // a configuration is being taken over
  runtime::TaskGroup changes_;                         // that, whoever still waits for it
  LastingTasks tasks_;                                 // last: they use all of the above
};

}  // namespace canary::daemon

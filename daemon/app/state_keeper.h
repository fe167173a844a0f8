// SPDX-License-Identifier: Apache-2.0
// Keeps what is known of each probe over a restart: a small file for each in the state directory.
// Thread: loop, but load_saved_states() any other (it reads files).
#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/config.h"
#include "daemon/log/log.h"
#include "daemon/results/store.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::daemon {

// What the files in `directory` say of these probes. One that is damaged or of a newer canaryd is
// told of in the log, and its probe begins anew.
SavedStates load_saved_states(std::filesystem::path const& directory,
                              std::vector<config::ProbeSpec> const& probes, Log& log);

// Likewise of those that `known` does not have.
SavedStates load_states_of_new(std::filesystem::path const& directory, config::Config const& fresh,
                               config::Config const& known, Log& log);

// Where what is known of a probe is kept, in the folder of all.
std::filesystem::path saved_file(std::filesystem::path const& directory, std::string_view probe);

// Files are replaced whole: after a power cut the last one is found, or one before it. One job at a
// time is on the disk's thread, and a probe waits for it at most once.
class StateKeeper {
 public:
  // `disk`, `results` and `log` outlive it.
  StateKeeper(runtime::Executor executor, runtime::Workers& disk, ResultStore& results, Log& log,
              std::filesystem::path directory);

  // After each run: what changed is written soon, what did not (how often and when it went well)
  // at most every kRefresh.
  void note(Changes const& changes);
  static constexpr std::chrono::minutes kRefresh{5};

  // Writes what is noted until it is cancelled.
  runtime::Task<void> keep();
  // Writes what is left, at the end. False where the deadline passed before.
  runtime::Task<bool> finish(runtime::Deadline deadline);
  // The probes of which something is still to be written, or may be.
  std::vector<std::string> unwritten() const;

 private:
  void queue(std::string const& probe);
  runtime::Task<void> write_queued(runtime::Trace trace);
  runtime::Task<void> write_rest(runtime::Trace trace);
  void tell(std::string const& failure);

  runtime::Executor executor_;
  runtime::JobQueue disk_;
  ResultStore& results_;
  Log& log_;
  std::filesystem::path directory_;
  std::deque<std::string> queue_;            // each probe once
  std::unordered_set<std::string> queued_;   // the same
  std::unordered_set<std::string> changed_;  // a little, since they were written
  std::vector<std::string> writing_;         // on the disk's thread now
  std::unordered_map<std::string, runtime::Clock::time_point> written_;
  bool failing_ = false;
  runtime::Event wake_;
};

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Removes from the state directory, after a while, what is known of probes that neither a file nor
// a list has any longer: a fleet whose names come and go must not fill the disk. A name that comes
// back before finds everything as it was.
// Thread: loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "daemon/app/absences.h"
#include "daemon/app/places.h"
#include "daemon/history/entries.h"
#include "daemon/log/log.h"
#include "daemon/results/store.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::daemon {

class RemovedProbes {
 public:
  struct Setup {
    runtime::Workers& disk;  // outlives it, like the next two
    ResultStore& results;    // has all probes that there are
    Log& log;
    Places places;
    std::filesystem::path results_directory;
    std::function<void(history::EventEntry)> note;
    std::function<SysTime()> wall_clock;
  };
  explicit RemovedProbes(Setup setup) : setup_(std::move(setup)) {}

  void set(config::RemovedProbesSettings const& settings) { settings_ = settings; }
  // Looks every kEvery, until it is cancelled.
  runtime::Task<void> tend();
  static constexpr std::chrono::minutes kEvery{15};
  // One look, so long after the last one.
  runtime::Task<void> look(std::chrono::seconds since);

 private:
  runtime::Task<void> look_now(std::chrono::seconds since, runtime::Trace trace);
  std::vector<std::string> known() const;
  bool is_absent(std::string const& probe) const;
  runtime::Task<std::size_t> remove_results(std::vector<std::string> probes, runtime::Trace trace);
  runtime::Task<std::vector<std::string>> remove_trust(std::vector<std::string> probes,
                                                       runtime::Trace trace);
  void note_dropped(std::string const& probe);
  void trouble(std::string const& why);
  void tell();

  Setup setup_;
  config::RemovedProbesSettings settings_;
  std::optional<Absences> absences_;  // nothing before the first look
  std::string trouble_, told_;        // of this look; and that the log has
};

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Follows the sources of probes: looks at each again and again, hands over what is new, keeps what
// came to be in force over a restart, and tells how each source fares. It takes over no list
// itself: what a list means is for another thread to find out.
// Thread: loop.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/discovery.h"
#include "daemon/discovery/fetched_list.h"
#include "daemon/log/log.h"
#include "daemon/results/snapshot.h"
#include "probes/fetch/services.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/task_group.h"
#include "runtime/workers.h"

namespace canary::daemon {

// A list in force, or what became of one that was offered.
struct ListInForce {
  FetchedListPointer list;
  std::size_t probes = 0;
  std::string error;  // what is wrong with it; "" where nothing is
};

class Discovery {
 public:
  struct Setup {
    runtime::Executor executor;
    fetch::Services& http;            // outlives it
    runtime::Workers& disk;           // likewise
    Log& log;                         // likewise
    std::filesystem::path directory;  // where lists are kept
    std::function<SysTime()> wall_clock;
    // Takes a list that is new, and with it those of other sources that may fit to it. Waits for
    // nothing; taken() or refused() follows for each.
    std::function<void(std::vector<FetchedListPointer>)> offer;
    std::function<void(std::vector<SourceFacts>)> publish;
  };
  explicit Discovery(Setup setup);
  ~Discovery();
  Discovery(Discovery const&) = delete;
  Discovery& operator=(Discovery const&) = delete;

  // The sources from now on, and the lists in force. A source that is new or changed is looked at
  // at once.
  void configure(std::vector<config::DiscoverySource> const& sources,
                 std::vector<ListInForce> const& in_force);
  // Of a list that was offered: it is in force, or why not.
  void taken(ListInForce list);
  void refused(RefusedList list);

  // Ends every look. Returns when none is left.
  runtime::Task<void> stop();

 private:
  struct Source;
  using SourcePointer = std::shared_ptr<Source>;

  runtime::Task<void> follow(SourcePointer source);
  runtime::Task<void> look(SourcePointer source);
  // What the look came to: "" where all is well.
  runtime::Task<std::string> outcome(SourcePointer source, runtime::Deadline deadline,
                                     runtime::Trace trace);
  runtime::Task<std::string> offered(SourcePointer source, FetchedListPointer list,
                                     runtime::Trace trace);
  void conclude(Source& source, std::string const& why);
  void confirm(Source& source);
  void keep(Source& source);
  void tell_of_disk(std::string const& failure);
  void publish() const;
  Source* find(std::string_view name);

  Setup setup_;
  runtime::JobQueue disk_;
  std::map<std::string, SourcePointer, std::less<>> sources_;
  std::vector<std::string> order_;  // of the configuration
  bool disk_fails_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  runtime::TaskGroup tasks_;  // last: its tasks use all of the above
};

}  // namespace canary::daemon

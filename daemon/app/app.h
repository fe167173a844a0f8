// SPDX-License-Identifier: Apache-2.0
// The daemon's graph of everything: builds it, starts it in order, reloads it, stops it in order.
// The only place that sees all parts.
// Thread: main.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "daemon/app/app_options.h"
#include "daemon/app/dumps.h"
#include "daemon/app/places.h"
#include "daemon/app/services.h"
#include "daemon/app/state_lock.h"
#include "daemon/log/log.h"
#include "daemon/publish/server.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace canary::daemon {

class App {
 public:
  // `descriptors`: how many may be open (RLIMIT_NOFILE). Throws std::system_error where there is
  // no thread or no memory to be had.
  App(AppOptions options, StateLock lock, std::size_t descriptors);
  // The watchdog watches to the last; then whatever it reads for a dump may go, and only when it
  // has ended may the log stop asking it for lines.
  ~App();
  App(App const&) = delete;
  App& operator=(App const&) = delete;

  // False, after a line in the log, when the daemon cannot run or serve.
  bool start();
  void reload();
  // Exit code. A loop that does not answer ends the process here and now.
  int stop();

  // What is going on, into a file that the log names.
  void dump() { watchdog_.request_dump(); }
  void out_of_cpu_time();
  void tell_of_signal(int signal);

 private:
  bool start_all();
  void reload_now();
  void ask(runtime::Task<void> work);
  config::Config fit(config::Config config);
  void tell_of_folders();
  void tell_longest_lookup(config::Config const& config);  // for the watchdog
  // What is known of the probes of `fresh` that `known` does not have.
  SavedStates saved_states(config::Config const& fresh, config::Config const* known);

  // What surrounds the HTTP server: app_server.cc.
  Sources sources();
  void tell_of_full(std::string_view address, std::size_t most, bool full);
  void watch_server(std::string const& private_path);
  std::string own_page();
  std::string private_socket();

  AppOptions options_;
  std::size_t descriptors_;
  Places places_;
  StateLock lock_;               // before anything is touched there, until all is written
  Dumps dumps_;                  // its helper is started before any thread
  Log log_;                      // outlives the watchdog, whose dumps have its last lines
  watchdog::Watchdog watchdog_;  // before all that it watches, and longer
  runtime::Loop loop_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Server> server_;  // last: reads the results of services_
};

}  // namespace canary::daemon

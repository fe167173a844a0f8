// SPDX-License-Identifier: Apache-2.0
// The thread that does all that may stand still: it reads the configuration, takes the state lock,
// builds and starts everything, reloads, and stops in order. Main gives it orders and looks at what
// it is at, and never waits for it.
// Thread: main, unless it says otherwise.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "daemon/app/app_options.h"
#include "daemon/app/steps.h"
#include "daemon/discovery/taken_lists.h"
#include "daemon/log/log.h"
#include "daemon/publish/reloads.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/thread_row.h"

namespace canary::daemon {

class App;

class Control {
 public:
  struct Setup {
    AppOptions options;
    std::size_t descriptors = 0;   // that may be open
    Log& log;                      // outlives it
    watchdog::Watchdog& watchdog;  // likewise
    std::function<void()> ended;   // called on the thread once it has ended
  };
  explicit Control(Setup setup);
  // REQUIRES: phase() is `ended`; a thread that stands still is left by _exit(2) only.
  ~Control();
  Control(Control const&) = delete;
  Control& operator=(Control const&) = delete;

  enum class Phase : std::uint8_t { starting, running, reloading, stopping, ended };
  Phase phase() const { return phase_.load(std::memory_order_acquire); }
  runtime::Stage::Seen look() const { return steps_.look(); }
  // How often it came round while monitoring: once a second, whatever else there is to do.
  std::uint64_t rounds() const { return rounds_.load(std::memory_order_relaxed); }
  // How often the loop and the watchdog have come round.
  struct Turns {
    std::uint64_t beats = 0, ticks = 0;
  };
  Turns turns() const;
  // Ends the process as hung, its listeners closed; returns where watchdog.on_dead only reports.
  void end_hung() const;
  // Has the watchdog all that it dumps with, and ends a stop that hangs?
  bool watched() const { return watched_.load(std::memory_order_acquire); }

  // Orders, done as soon as it comes to them. A start goes on to its next step before it stops; a
  // reload is left as it stands.
  void reload();
  void stop();
  // The app has lists to look after. Thread: any.
  void lists_came();
  // A dump now, from the watchdog; false where it has nothing to make one with yet, or any more.
  bool dump();

  // Joins the thread. REQUIRES: phase() is `ended`. Throws what ended it, if anything did.
  int exit_code();

 private:
  void run();
  int start_and_serve();
  // What it throws would end the process as if it had been told to: it ends with a dump instead.
  int serve(App& app) noexcept;
  TakenLists kept_lists(config::Config const& config);
  void look_after(App& app);
  void enter(std::string const& step);
  void take_row();

  Setup setup_;
  Steps steps_;
  Reloads reloads_{[this] { reload(); }};
  std::atomic<Phase> phase_{Phase::starting};
  std::atomic<std::uint64_t> rounds_{0};
  std::stop_source stop_;
  mutable std::mutex mutex_;  // held for moments only, never in a call that may wait
  std::condition_variable_any ordered_;
  bool reload_wanted_ = false, lists_came_ = false;
  std::atomic<bool> watched_{false};
  int code_ = kExitFailure;
  std::exception_ptr thrown_;
  std::optional<runtime::ThreadRow> row_;  // the thread's own
  std::thread thread_;                     // last
};

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What main does while another thread does all the work: it hands on signals, says at which step a
// start, reload or stop stands still, and ends the process where that would be for good. It touches
// no file and takes no lock that is held in a call that may wait.
// Thread: main.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string_view>

#include "daemon/app/control.h"
#include "daemon/app/steps.h"
#include "daemon/log/log.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/signals.h"

namespace canary::daemon {

class MainThread {
 public:
  struct Setup {
    Control& control;
    Log& log;
    watchdog::Watchdog& watchdog;
    runtime::Signals const& signals;
    std::atomic<bool>& woken;            // set before SIGUSR2 is sent by the control thread
    std::chrono::milliseconds patience;  // for one step of the start
  };
  explicit MainThread(Setup setup);

  // Until the control thread has ended. Nothing is to be thrown past it: that thread would be
  // waited for without anybody who takes signals.
  void run() noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  void take(int signal);
  void ask_to_stop();
  void watch();
  void watch_start(runtime::Stage::Seen const& seen);
  void watch_rounds(runtime::Stage::Seen const& seen, bool held);
  void watch_loop_and_watchdog(bool held);
  void tell_systemd(runtime::Stage::Seen const& seen);
  [[noreturn]] void give_up(std::string_view why, runtime::Stage::Seen const& seen);

  Setup const setup_;
  StandingStill standing_;
  std::uint64_t rounds_ = 0;  // of control's, and since when there were so many
  Clock::time_point rounds_since_ = Clock::now(), looked_ = Clock::now();
  bool rounds_told_ = false;
  Control::Turns turns_;  // and since when they are these
  Clock::time_point turned_ = Clock::now();
  std::uint64_t told_ = 0;  // of the start's steps and their age, to systemd
  std::optional<Clock::time_point> stop_asked_;
};

}  // namespace canary::daemon

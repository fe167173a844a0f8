// SPDX-License-Identifier: Apache-2.0
// Ends the process: a signal to the stuck thread, then _exit; or the program is started anew in
// its place. The listeners are closed first, so that a successor can bind even if a thread in
// uninterruptible sleep keeps this process from going.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <signal.h>

#include <cstdint>

#include "daemon/watchdog/act/handed_on.h"
#include "daemon/watchdog/act/listeners.h"
#include "daemon/watchdog/judge/verdict.h"

namespace canary::watchdog {

enum class OnDead : std::uint8_t { abort, exec, report };

class ProcessEnd {
 public:
  struct Parts {
    Listeners& listeners;
    HandedOn const& handed_on;
    std::int32_t process = 0;
    // For starting anew: null where that cannot be.
    char** arguments = nullptr;
    char** environment = nullptr;
    sigset_t signals{};  // that the new program is to have blocked
    int niceness = 0;    // and its own
  };
  explicit ProcessEnd(Parts const& parts) : parts_(parts) {}

  // Ends it because of the incident; called again while it is still there. Returns where it has to
  // be waited for; nothing survives five seconds of that but a thread that the kernel holds.
  void end(Incident const& dying, OnDead on_dead, std::int64_t now_ns);
  // end() was called.
  bool begun() const { return killed_ns_ != 0; }
  [[noreturn]] void give_up();

 private:
  void exec_anew();

  Parts parts_;
  std::int64_t killed_ns_ = 0;
};

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// Feeds systemd's watchdog for as long as the loop turns, or what keeps it is nobody's fault.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/watchdog/act/notify.h"
#include "daemon/watchdog/tell/sentence.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class SystemdFeed {
 public:
  explicit SystemdFeed(Record& record) : record_(record) {}

  Notifier& notifier() { return notifier_; }
  struct Look {
    bool stopping = false;    // the loop's beat ends before the daemon does: a stop has its limit
    bool vital_hung = false;  // something hangs that only a restart helps
    bool dying = false;       // the process is about to be ended
    std::uint64_t progress = 0;  // steps of a start, a reload or a stop
    Sentence const* sentence = nullptr;
    std::int64_t now_ns = 0;
  };
  void feed(Look const& look);

 private:
  Notifier notifier_;
  Record& record_;
  std::uint64_t beats_pinged_ = 0;
};

}  // namespace canary::watchdog

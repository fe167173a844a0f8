// SPDX-License-Identifier: Apache-2.0
// The watchdog's side of its lines for the log.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/watchdog/judge/verdict.h"
#include "daemon/watchdog/tell/lines.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class LineWriter {
 public:
  // Lines that nobody takes out are counted in the record. Both outlive this.
  LineWriter(WatchdogLines& lines, Record& record) : lines_(lines), record_(record) {}

  // The time of the lines to come.
  void set_time(std::int64_t wall_ns) { wall_ns_ = wall_ns; }

  void say(Line::Kind kind, Incident const& incident, std::int64_t nanoseconds = 0,
           std::uint64_t count = 0);
  void push(Line line);

 private:
  WatchdogLines& lines_;
  Record& record_;
  std::int64_t wall_ns_ = 0;
};

}  // namespace canary::watchdog

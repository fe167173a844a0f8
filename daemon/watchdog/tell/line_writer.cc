// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/tell/line_writer.h"

#include "daemon/watchdog/tell/counters.h"

namespace canary::watchdog {

void LineWriter::say(Line::Kind kind, Incident const& incident, std::int64_t nanoseconds,
                     std::uint64_t count) {
  Line line;
  line.kind = kind;
  line.incident = incident;
  line.nanoseconds = nanoseconds;
  line.count = count;
  push(line);
}

void LineWriter::push(Line line) {
  line.wall_ns = wall_ns_;
  if (lines_.push(line)) {
    wake(lines_.wake_descriptor());
  } else {
    add_to(record_.lines_dropped);
  }
}

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What is done to a run that hangs: its record is marked, the loop does the rest.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include "daemon/watchdog/judge/verdict.h"
#include "daemon/watchdog/tell/line_writer.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class RunActions {
 public:
  // `wake`: an eventfd, by which the loop hears that a run is to be cancelled.
  RunActions(int wake, Record& record, LineWriter& lines)
      : wake_(wake), record_(record), lines_(lines) {}

  // Nothing where the incident's run has ended meanwhile.
  void cancel(Incident const& incident);
  void mark_stalled(Incident const& incident);

 private:
  int wake_;
  Record& record_;
  LineWriter& lines_;
};

// Whose handler it is, is it a probe's?
bool is_of_probe(Incident const& incident);

}  // namespace canary::watchdog

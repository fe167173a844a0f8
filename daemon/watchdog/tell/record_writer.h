// SPDX-License-Identifier: Apache-2.0
// Writes what the watchdog finds into its record, and what changes there into the log.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <array>
#include <cstdint>

#include "daemon/watchdog/judge/incidents.h"
#include "daemon/watchdog/judge/standing.h"
#include "daemon/watchdog/judge/surroundings.h"
#include "daemon/watchdog/tell/line_writer.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class RecordWriter {
 public:
  RecordWriter(Record& record, LineWriter& lines) : record_(record), lines_(lines) {}

  void tick(std::int64_t now_ns);
  // How late the watchdog woke, and what held everybody meanwhile.
  void woke(Assessment const& found, std::int64_t now_ns);
  // Of the log at most one line in ten seconds.
  void disturbed(Disturbance kind, std::int64_t lasted_ns, std::int64_t now_ns);

  // An incident went up to a level.
  void raised(Step const& step);
  // The incidents that are open now.
  void incidents(Incidents const& incidents);
  // By the last call of incidents(): does one hang that only a restart helps?
  bool vital_hung() const { return vital_hung_; }

  void loop_stands(LoopStanding const& standing, Incident const& judged, std::int64_t now_ns);
  // How late the loop is, or was. `standing_ns`: since when it has not turned; 0: it turns.
  void loop_late(runtime::LoopRecord const& loop, std::int64_t standing_ns, Limits const& limits,
                 std::int64_t now_ns);
  // A part that stands still without being accused is told of once.
  void parts_stand(PartsStanding const& standing);

 private:
  Record& record_;
  LineWriter& lines_;
  std::int64_t disturbed_ns_ = 0;
  bool vital_hung_ = false, loop_said_ = false;
  std::array<bool, kIncidents> shown_{};
  std::array<Verdict, kSubjects> stood_{};
};

}  // namespace canary::watchdog

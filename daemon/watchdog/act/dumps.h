// SPDX-License-Identifier: Apache-2.0
// Has dumps made: of what stalls, on request, and of a process that is about to end.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/watchdog/act/dumper.h"
#include "daemon/watchdog/judge/incidents.h"
#include "daemon/watchdog/tell/line_writer.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class Dumps {
 public:
  Dumps(Dumper const& dumper, Record& record, LineWriter& lines)
      : dumper_(dumper), record_(record), lines_(lines) {}
  void set_dumper(Dumper const& dumper) { dumper_ = dumper; }

  // Of an incident, with the others that are open. Of a thread that computes, stacks are added
  // until go_on() has taken all.
  void of_incident(Incident const& about, Incidents const& all);
  // Of the process; counts as asked for. `reason`: "stop", "ended".
  void of_process(std::string_view reason, Incidents const& all);
  // Who asked gets one, at most once a second: who asks in between gets the next.
  void on_request(Incidents const& all, std::int64_t now_ns);

  void set_time(std::int64_t wall_ns) { wall_ns_ = wall_ns; }
  void go_on(std::int64_t now_ns);
  // A dump is being made; its next stack is due then.
  bool open() const { return open_; }
  std::int64_t next_ns() const { return next_ns_; }
  void finish();
  // Once a second: tells of dumps that the helper could not make readable.
  void poll(std::int64_t now_ns);

 private:
  void start(Incident const* about, Incidents const& all, std::string_view reason,
             std::uint64_t request);

  Dumper dumper_;
  Record& record_;
  LineWriter& lines_;
  std::int64_t wall_ns_ = 0;
  bool open_ = false;
  int samples_left_ = 0;
  std::int32_t thread_ = 0;  // whose stacks are added
  std::int64_t next_ns_ = 0, requested_ns_ = 0, polled_ns_ = 0;
  std::uint64_t request_ = 0, served_ = 0;
  Incident about_;
  std::array<Incident, kIncidents> incidents_{};
};

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What happened, of every kind, in one order: what `canaryd history` prints and /api/v1/history
// gives.
// Thread: the database's.
#pragma once

#include <string>

#include "daemon/history/store.h"

namespace canary::history {

struct Moment {
  Time at{};
  // "finding_opened", "finding_changed", "finding_closed", "incident_opened", "incident_closed",
  // kVersionSeen, or the kind of an EventEntry.
  std::string kind;
  std::string probe;  // "": canaryd itself
  // Of an event the subject, and as message its detail; of kTrustDropped the reason as message; of
  // kVersionSeen what has it, and as message "version 42, after 41".
  Words finding;
  probes::Severity was = probes::Severity::ok;  // of a finding that changed
  milliseconds lasted{0};                       // an incident that is over, a hang, a blind time
};

inline constexpr char kVersionSeen[] = "version_seen";

inline bool has_finding(Moment const& moment) {
  return !moment.probe.empty() && moment.kind != kTrustDropped && moment.kind != kVersionSeen;
}

// What canaryd itself did, or what befell it, of an EventEntry: "canaryd stops".
std::string event_text(Moment const& moment);

// Those of canaryd itself are left out where one probe is asked for.
DatabaseResult<Found<Moment>> timeline(Store& store, Query const& query);
// Only those of canaryd itself.
DatabaseResult<Found<Moment>> own_timeline(Store& store, Query const& query);

}  // namespace canary::history

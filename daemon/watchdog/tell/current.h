// SPDX-License-Identifier: Apache-2.0
// What the watchdog's record says now, as ordinary values for those who show it.
// Thread: any but the watchdog's: it allocates.
#pragma once

#include <string>
#include <vector>

#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

// The incidents that go on.
inline std::vector<Incident> current_incidents(Record const& record) {
  std::vector<Incident> incidents;
  for (auto const& place : record.incidents) {
    Incident incident;
    if (place.known() && place.load(incident) && incident.level != Level::fine) {
      incidents.push_back(incident);
    }
  }
  return incidents;
}

// Names of the probes that are not run any more.
inline std::vector<std::string> quarantined_probes(Record const& record) {
  std::vector<std::string> names;
  record.each_quarantined([&names](ProbeText const& name) {
    names.emplace_back(name.data());
    return true;
  });
  return names;
}

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What the watchdog's record says now, as ordinary values for those who show it.
// Thread: any but the watchdog's: it allocates.
#pragma once

#include <string>
#include <vector>

#include "daemon/watchdog/status.h"

namespace canary::watchdog {

// The episodes that go on.
inline std::vector<Episode> current_episodes(Record const& record) {
  std::vector<Episode> episodes;
  for (auto const& place : record.episodes) {
    Episode episode;
    if (place.known() && place.load(episode) && episode.level != Level::fine) {
      episodes.push_back(episode);
    }
  }
  return episodes;
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

// SPDX-License-Identifier: Apache-2.0
// Incidents as an Atom feed, for readers and chat rooms.
// Thread: any (pure). Source: RFC 4287; XML 1.0, 2.2 (characters).
#pragma once

#include <string>

#include "daemon/history/entries.h"

namespace canary::daemon::page {

// `home`: where the pages are, "https://monitor.example/canaryd", which every link begins with.
// `empty_since`: when the feed changed last where there is no incident. The newest change first.
std::string incidents_feed(history::Found<history::Incident> const& found, std::string const& home,
                           std::string const& probe, history::Time empty_since);

}  // namespace canary::daemon::page

// SPDX-License-Identifier: Apache-2.0
// What happened, as JSON: of /api/v1/history, /api/v1/incidents, /api/v1/runs and of
// `canaryd history`.
// Thread: any (pure).
#pragma once

#include <string>

#include "daemon/history/timeline.h"

namespace canary::daemon {

// {"since", "until", "more", "entries": [...]}; instants RFC 3339 in UTC, spans seconds, what does
// not apply null.
std::string timeline_json(history::Found<history::Moment> const& found,
                          history::Query const& query);
std::string incidents_json(history::Found<history::Incident> const& found,
                           history::Query const& query);
// Single runs of one probe, and how many of each severity there were in each hour or day.
std::string runs_json(history::Found<history::RunEntry> const& found, history::Query const& query);
// When other versions were seen: {"at", "probe", "thing", "version", "was"}.
std::string versions_json(history::Found<history::VersionEntry> const& found,
                          history::Query const& query);
std::string spans_json(history::Found<history::Span> const& found, history::Query const& query);

}  // namespace canary::daemon

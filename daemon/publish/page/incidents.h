// SPDX-License-Identifier: Apache-2.0
// The page at "/incidents": what was wrong, from when until when, and why.
// Thread: any (pure).
#pragma once

#include <string>

#include "daemon/history/entries.h"
#include "daemon/publish/page/fields.h"

namespace canary::daemon::page {

// For incident_cards.mustache: the newest first, those that are not over before all.
void add_incidents(Fields& page, history::Found<history::Incident> const& found, history::Time now);

// `trouble`: why there is nothing to show; "" where `found` says what there was.
std::string incidents_page(history::Found<history::Incident> const& found,
                           history::Query const& query, std::string const& trouble,
                           history::Time now);

}  // namespace canary::daemon::page

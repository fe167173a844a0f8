// SPDX-License-Identifier: Apache-2.0
// The runs that go on, from the tables, for the page: true while the loop hangs, too.
// Thread: any.
#pragma once

#include <vector>

#include "daemon/publish/page/overview.h"
#include "runtime/tables.h"

namespace canary::daemon {

// Of probes, the oldest first. Texts are harmless.
std::vector<page::RunInFlight> runs_in_flight(runtime::Tables& tables);

}  // namespace canary::daemon

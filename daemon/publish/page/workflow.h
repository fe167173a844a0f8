// SPDX-License-Identifier: Apache-2.0
// What the last run did, step by step, on the page of a probe.
// Thread: any (pure).
#pragma once

#include "daemon/publish/page/fields.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon::page {

// A list "steps": how each went, what is known of its things, what was said of it; empty until a
// run has ended. "stood_at": what a run that was cut short was at.
void add_steps(Fields& page, ProbeRow const& row, SysTime now);

}  // namespace canary::daemon::page

// SPDX-License-Identifier: Apache-2.0
// POST /-/run?probe=NAME, on listeners for everybody: has a probe run now, waits, and leads to its
// page. For whoever may change something (post_guard.h).
// Thread: any.
#pragma once

#include <optional>

#include "daemon/publish/routes.h"

namespace canary::daemon {

// Gives the order. `sources` outlives what is given. Nothing where it is refused.
std::optional<Later> run_later(Sources const& sources, HttpRequest const& request);
// Why run_later() gave nothing.
HttpAnswer run_refusal(Sources const& sources, HttpRequest const& request);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What stays known of a repository when a look at it fails: deadlines, versions, certificates'
// ends. Thread: none (pure).
#pragma once

#include <cstddef>

#include "daemon/results/snapshot.h"

namespace canary::daemon {

// `before` after a run that ended `at`. What the report names replaces what was known of it; what
// it does not name stays, unless the report is complete: then it is not there any more.
Known merged(Known const& before, probes::Report const& report, SysTime at);
// The roles that are kept: those of the report, then older ones that expire first.
inline constexpr std::size_t kKnownRoles = 128;

// Whether the two say different things, whenever they were seen.
bool differ(Known const& a, Known const& b);

}  // namespace canary::daemon

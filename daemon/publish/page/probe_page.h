// SPDX-License-Identifier: Apache-2.0
// The page at "/probe/NAME": everything that is known of one repository now.
// Thread: any (pure).
#pragma once

#include <string>

#include "daemon/publish/page/overview.h"

namespace canary::daemon::page {

std::string probe_page(ProbeRow const& row, DaemonFacts const& daemon, OwnState const& own,
                       SysTime now);

}  // namespace canary::daemon::page

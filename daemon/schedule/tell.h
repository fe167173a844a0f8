// SPDX-License-Identifier: Apache-2.0
// What a run changed, as lines of the log: one for the state of its probe, one for each finding.
// Thread: any.
#pragma once

#include <cstddef>

#include "daemon/log/log.h"
#include "daemon/results/history.h"

namespace canary::daemon {

// Of many findings the first kFindingsNamed have lines of their own; one more says how many there
// are beside them.
void tell(Log& log, Changes const& changes);
inline constexpr std::size_t kFindingsNamed = 20;

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Raw dumps that no helper makes readable, for it is dead or hangs: kept within limits, and without
// the stacks that were copied into them, which may hold a secret.
// Thread: any but the loop's and the watchdog's; reads and writes files.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace canary::dump {

struct UnreadLimits {
  std::size_t keep = 8;                 // the newest
  std::chrono::seconds stacks_for{60};  // so long may a helper still come along
};

struct UnreadOutcome {
  std::size_t removed = 0, without_stacks = 0;
};

// Looks at the raw dumps in `directory` that have no readable form beside them.
UnreadOutcome bound_unread_dumps(std::string const& directory, UnreadLimits limits = {});

}  // namespace canary::dump

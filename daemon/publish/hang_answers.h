// SPDX-License-Identifier: Apache-2.0
// /hangs, and of a dump on disk /hangs/NAME as a page, /hangs/NAME.txt and /hangs/NAME.json as the
// dump helper wrote it.
// Thread: any but the loop's; waits kHistoryPatience for the history and as long for the disk.
#pragma once

#include <optional>

#include "daemon/publish/routes.h"

namespace canary::daemon {

// Nothing where the path is none of these.
std::optional<HttpAnswer> hang_answer(Sources const& sources, HttpRequest const& request);

}  // namespace canary::daemon

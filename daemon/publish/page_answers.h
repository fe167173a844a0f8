// SPDX-License-Identifier: Apache-2.0
// The pages for people, and what they are made of: /, /probe/NAME, /incidents, /assets/, /badge/.
// Thread: any but the loop's.
#pragma once

#include <optional>

#include "daemon/publish/routes.h"

namespace canary::daemon {

// Nothing where the path is none of these.
std::optional<HttpAnswer> page_answer(Sources const& sources, HttpRequest const& request);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// The pages for people, and what they are made of: /, /probe/NAME, /incidents, /incidents.atom,
// /hangs, /runbook, /config, /assets/, /badge/.
// Thread: any but the loop's.
#pragma once

#include <optional>
#include <string>

#include "daemon/publish/routes.h"

namespace canary::daemon {

// 200 with a page, which may load the server's own style and script.
HttpAnswer html_answer(std::string html);

// Nothing where the path is none of these.
std::optional<HttpAnswer> page_answer(Sources const& sources, HttpRequest const& request);

}  // namespace canary::daemon

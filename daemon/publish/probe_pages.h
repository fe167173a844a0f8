// SPDX-License-Identifier: Apache-2.0
// /probe/NAME, and below it single runs (/run/TIME) and days (/day/DATE).
// Thread: any but the loop's; waits kHistoryPatience at most.
#pragma once

#include <string_view>

#include "daemon/publish/page/overview.h"
#include "daemon/publish/routes.h"

namespace canary::daemon {

page::OwnState own_state_of(Sources const& sources, SysTime now);
HttpAnswer no_such_probe(std::string_view name);

// `path`: what stands behind "/probe/". A probe's name may be anything: where one is called
// "a/run/b", that is what it leads to.
HttpAnswer probe_page_answer(Sources const& sources, HttpRequest const& request,
                             std::string_view path);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// How canaryd itself fares, for the page: from the watchdog's record, so that it is true while the
// loop hangs.
// Thread: any.
#pragma once

#include "daemon/publish/page/overview.h"
#include "daemon/watchdog/tell/status.h"
#include "runtime/tables.h"

namespace canary::daemon {

page::OwnState own_state(watchdog::Record const& record, runtime::Tables& tables, SysTime now);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// How canaryd itself fares, as fields of a page; hang.mustache shows what hangs.
// Thread: any (pure).
#pragma once

#include "daemon/publish/page/fields.h"
#include "daemon/publish/page/overview.h"

namespace canary::daemon::page {

void add_own_state(Fields& page, OwnState const& own);

}  // namespace canary::daemon::page

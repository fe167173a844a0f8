// SPDX-License-Identifier: Apache-2.0
// Tables are there from the first instruction, before anybody knows how large they must be.
// Thread: control, before there is a Loop.
#pragma once

#include "runtime/tables.h"

namespace canary::runtime {

// The process's tables with room for at least so many: those there are, or new ones in their place.
// The old block stays where it is, for late readers; who has a row in it takes another when it next
// comes round (ThreadRow::outdated).
Tables& make_tables_at_least(TableSizes sizes);

}  // namespace canary::runtime

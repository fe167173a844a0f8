// SPDX-License-Identifier: Apache-2.0
// A row in the tables for a thread that must not allocate: runtime::ThreadRow asks the C library
// for the stack, which does.
// Thread: the row's own.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/tables.h"

namespace canary::watchdog {

struct StackBounds {
  std::uint64_t low = 0, high = 0;
};

// nullptr where all rows are taken.
runtime::ThreadRecord* claim_own_row(runtime::Tables& tables, runtime::ThreadRecord::Kind kind,
                                     std::string_view name, StackBounds const& stack);
// At the end of its work; nullptr is none.
void release_own_row(runtime::ThreadRecord*& row);

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// How many operations the loop waits for, by kind.
// Thread: any; reads while others write. Allocates nothing, takes no lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/tables.h"

namespace canary::watchdog {

struct PendingKind {
  std::string_view name;  // a literal of the program, "async_wait"
  std::uint64_t number = 0;
};

struct PendingKinds {
  static constexpr std::size_t kKinds = 24;
  std::array<PendingKind, kKinds> kinds{};  // the last is "other" where there are more
  std::size_t count = 0;
};

PendingKinds pending_kinds(runtime::Tables& tables);

}  // namespace canary::watchdog

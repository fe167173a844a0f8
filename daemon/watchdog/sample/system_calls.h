// SPDX-License-Identifier: Apache-2.0
// The names of the system calls in which threads usually hang.
// Thread: none (pure).
#pragma once

#include <cstdint>
#include <string_view>

namespace canary::watchdog {

// "" for one that is not among them, or for no call (-1).
std::string_view system_call_name(std::int64_t number);

}  // namespace canary::watchdog

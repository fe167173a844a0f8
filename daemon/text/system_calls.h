// SPDX-License-Identifier: Apache-2.0
// The names of the system calls in which threads usually hang, on this architecture.
// Thread: none (pure).
#pragma once

#include <cstdint>
#include <string>

namespace canary {

// "futex"; the number of one that is not among them.
std::string system_call_text(std::int64_t number);

}  // namespace canary

// SPDX-License-Identifier: Apache-2.0
// A stack may hold a token or a password that was in a variable. Once its frames are named, its
// bytes are of no more use.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <span>

namespace canary::dump {

// Overwrites the copied stacks in a raw dump by zeros; all else, registers included, stays.
void forget_stacks(std::span<std::byte> raw);

}  // namespace canary::dump

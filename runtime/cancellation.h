// SPDX-License-Identifier: Apache-2.0
// What a cancelled coroutine throws.
// Thread: any.
#pragma once

#include <exception>

namespace canary::runtime {

[[noreturn]] void throw_operation_aborted();

bool is_cancellation(std::exception_ptr const& thrown);

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// Which frame of which run the loop thread works for at this moment: what an operation created now
// is waited for by, and what its handler goes on with.
// Thread: loop (each thread has its own; only the loop's matters).
#pragma once

#include <cstdint>
#include <string>

#include "runtime/tables.h"

namespace canary::runtime {

struct Leaf {
  std::uint16_t run = kNoRun;
  std::uint8_t frame = kNoFrame;
};
// initial-exec: one instruction to reach, also where the code is position-independent.
#define CANARY_FAST_TLS [[gnu::tls_model("initial-exec")]]
CANARY_FAST_TLS inline constinit thread_local Leaf current_leaf{};
CANARY_FAST_TLS inline constinit thread_local bool on_loop_thread = false;
// Set while Loop builds its context: a scheduler built without it is a second runtime.
inline constinit thread_local bool scheduler_permit = false;
// Where the process's Loop was made, "" where there is none: for what is refused beside it.
std::string place_of_the_loop();

}  // namespace canary::runtime

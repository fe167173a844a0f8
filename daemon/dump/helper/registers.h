// SPDX-License-Identifier: Apache-2.0
// Registers and stack of a thread that did not answer the signal, taken from outside while the
// process still is stuck.
// Thread: one (the helper's). Source: ptrace(2), PTRACE_SEIZE.
#pragma once

#include <cstdint>

#include "daemon/dump/read/document.h"

namespace canary::dump {

// Stops the thread for some ten microseconds. True where `stack` was filled; else its note says why
// not (permission, gone, uninterruptible).
bool take_registers(std::int32_t process, NativeStack& stack);

// Is the process of the dump still there? Compares what a reused id would not have: its program.
bool still_runs(AboutSection const& about);

}  // namespace canary::dump

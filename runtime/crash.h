// SPDX-License-Identifier: Apache-2.0
// A defect ends the process; before that somebody may write down how it stood.
// Thread: any.
#pragma once

namespace canary::runtime {

// What is done first: allocates nothing, takes no lock, ends in seconds. Null: nothing.
void set_crash_handler(void (*handler)(char const* why));

// Ends the process by SIGABRT. The first process of a PID namespace takes no such signal from
// within: there by the status that a shell gives for one, 134.
[[noreturn]] void abort_process() noexcept;

// Has the handler called, once for the process: who comes second waits for the end. Then SIGABRT.
// `why` is for the handler alone; whoever calls has said it on standard error.
[[noreturn]] void end_by_defect(char const* why) noexcept;

}  // namespace canary::runtime

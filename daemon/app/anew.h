// SPDX-License-Identifier: Apache-2.0
// What a process that its own watchdog started anew in place (on_dead: exec) has to put right: the
// name of its main thread, and the children of the program before.
// Thread: main, before any other is started.
#pragma once

namespace canary::daemon {

// Does nothing in a process that somebody else started. Waits for the old children, which end with
// the descriptors that they were given; for two seconds at most.
void put_right_what_was_before();

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What a process that its own watchdog started anew in place (on_dead: exec) has to put right: the
// name of its main thread, and the children of the program before.
// Thread: main, before any other is started.
#pragma once

namespace canary::daemon {

// Does nothing in a process that somebody else started. Kills the programs that probes of the kind
// exec were running, with their process groups: nobody waits for them any more. Waits for all old
// children; the others end with the descriptors that they were given. For two seconds at most.
void put_right_what_was_before();

}  // namespace canary::daemon

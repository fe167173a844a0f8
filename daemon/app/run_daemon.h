// SPDX-License-Identifier: Apache-2.0
// The daemon, as its main thread sees it: signals, and how long what they ask for takes.
// Thread: main.
#pragma once

#include "daemon/app/app_options.h"
#include "runtime/signals.h"

namespace canary::daemon {

// Blocks what run_daemon() waits for, and every other signal that somebody may send and that would
// end the process without a word. Thread: main, before any other is started.
runtime::Signals block_daemon_signals();

// Monitors until SIGTERM or SIGINT and returns the exit code; SIGHUP reloads, SIGUSR1 dumps,
// SIGXCPU (of RLIMIT_CPU) stops. All of it is done by another thread, so that no file, lock or
// listener can keep a signal waiting: a step that stands still is told in the log and to systemd; a
// start that does for `options.patience`, or for two seconds once it was asked to stop, ends the
// process with status 1. `signals` is of block_daemon_signals().
int run_daemon(AppOptions options, runtime::Signals const& signals);

}  // namespace canary::daemon

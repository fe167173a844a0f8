// SPDX-License-Identifier: Apache-2.0
// The daemon: starts everything, waits for signals, stops it in order.
// Thread: main.
#pragma once

#include "daemon/app/app_options.h"
#include "runtime/signals.h"

namespace canary::daemon {

// Blocks what run_daemon() waits for, and every other signal that somebody may send and that would
// end the process without a word. Thread: main, before any other is started.
runtime::Signals block_daemon_signals();

// Monitors until SIGTERM or SIGINT and returns the exit code; SIGHUP reloads, SIGUSR1 dumps,
// SIGXCPU (of RLIMIT_CPU) stops. `signals` is of block_daemon_signals().
int run_daemon(AppOptions options, runtime::Signals const& signals);

}  // namespace canary::daemon

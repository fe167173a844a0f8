// SPDX-License-Identifier: Apache-2.0
// Servers that misbehave, file systems that hang or are full, and what is done to a process from
// outside.
// Thread: the row's; see Stage.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/faults/rows.h"
#include "tests/support/hostile_server.h"

namespace canary::faults {

using Scene = std::function<std::shared_ptr<void>(Stage&)>;

// The victim asks this server; `script` answers everything.
Scene server(support::Script script, bool tls = false);
// The folder's files, as a web server has them.
support::Script files_of(std::filesystem::path folder);
Scene full_backlog();
Scene endless_roots();
// A file system in user space that answers its mounting and nothing else, until the scene ends or
// `span` is over.
Scene silent_file_system(std::chrono::milliseconds span);
// A FIFO that somebody opens for writing after `span`.
Scene fifo(std::chrono::milliseconds span);
// The state directory on a file system of so many KiB.
Scene small_disk(int kibibytes);
// Standard error is a pipe that nobody reads.
Scene unread_pipe();

using Outside = std::function<void(Stage&)>;
Outside stop_and_continue(std::chrono::milliseconds span);
Outside freeze(std::chrono::milliseconds span);
// Holds every thread whose name begins so as a debugger does.
Outside trace_threads(std::string prefix, std::chrono::milliseconds span);
// Every thread whose name begins so makes the system call exit, as one that died by itself.
Outside end_threads(std::string prefix);
// gdb takes all threads' stacks and goes.
Outside debugger();
// The whole process gets that share of one processor, in percent.
Outside starve(int percent, std::chrono::milliseconds span);
// Likewise until its end; what it started before stays free.
Outside limit_to(int percent);
// The shim's call misbehaves for `span` (0: for ever), while the row goes on; or until it is over.
Outside misbehave(Call call, Shim::How how, std::chrono::milliseconds span);
Outside misbehave_for(Call call, Shim::How how, std::chrono::milliseconds span);
// So many connections that send so much, and read nothing.
Outside idle_clients(int count, std::chrono::milliseconds span, std::string sends = {});
// To the processes that it started.
Outside signal_children(int signal);
Outside signal_storm(int signal, int times);
Outside stop_by_term();

}  // namespace canary::faults

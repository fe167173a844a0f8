// SPDX-License-Identifier: Apache-2.0
// The limits that the environment sets a process: how to live with them, and sentences that name
// the one that was reached.
// Thread: main, before any other, unless said otherwise.
// Source: setrlimit(2), cgroups(7).
#pragma once

#include <cstddef>
#include <exception>
#include <string>

namespace canary::runtime {

// A program's main, prepared: `body` gets the same arguments, its result is returned. Descriptors 0
// to 2 that are closed are held by /dev/null, so that nothing else gets their numbers: reading the
// one for input and writing those for output fails, as it did before. A file that reaches
// RLIMIT_FSIZE is an error, not a signal. An exception that nobody catches ends the program with a
// sentence. All threads, the one that runs `body` included, have stacks that suffice even where
// RLIMIT_STACK is small.
int run_prepared(int (*body)(int, char**), int count, char** words);

// Raises the soft limit of descriptors to the hard one. How many may be open now.
std::size_t raise_descriptor_limit();

// What errno values of exhausted resources mean here: "Resource temporarily unavailable: no more
// threads or processes may be started (RLIMIT_NPROC 12, pids.max 30)". The plain text of the error
// for all others. Thread: any.
std::string explain(int error);
// The same for what was thrown: a std::system_error, std::bad_alloc, or anything with a text.
std::string explain(std::exception const& thrown);

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// file: URLs through the same sinks, limits and faults as http: ones; read on a file thread, one
// piece ahead.
// Thread: loop.
#pragma once

#include "probes/fetch/message.h"
#include "probes/fetch/transfer.h"
#include "runtime/file_threads.h"
#include "runtime/task.h"

namespace canary::fetch {

// A file that is missing is a status fault with 404; a folder, a device, or one that may not be
// read is FaultKind::file; one whose disk does not answer is FaultKind::disk. A run holds up at
// most one thread. The references outlive the task.
runtime::Task<Result<Response>> read_file(Transfer& transfer, runtime::FileThreads& threads,
                                          runtime::Trace trace);

}  // namespace canary::fetch

// SPDX-License-Identifier: Apache-2.0
// file: URLs through the same sinks, limits and faults as http: ones; read on the disk's thread,
// one piece ahead.
// Thread: loop.
#pragma once

#include "probes/http/message.h"
#include "probes/http/transfer.h"
#include "runtime/task.h"
#include "runtime/workers.h"

namespace canary::http {

// A file that is missing is a status fault with 404; a folder, a device, or one that may not be
// read is FaultKind::file. The references outlive the task.
runtime::Task<Result<Response>> read_file(Transfer& transfer, runtime::Workers& disk,
                                          runtime::Trace trace);

}  // namespace canary::http

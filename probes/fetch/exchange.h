// SPDX-License-Identifier: Apache-2.0
// One request and the head of its answer on one connection.
// Thread: loop.
#pragma once

#include <string>

#include "probes/fetch/connection.h"
#include "probes/fetch/head.h"
#include "probes/fetch/transfer.h"
#include "runtime/task.h"

namespace canary::fetch {

// Sends `text` and reads a head; the body's first bytes may be in connection.input afterwards.
// `head_due` counts from here on. A connection closed before any byte came is FaultKind::reset
// with connection.input empty. The references outlive the task.
runtime::Task<Result<ResponseHead>> exchange(Transfer& transfer, Connection& connection,
                                             std::string text, Due head_due, runtime::Trace trace);

}  // namespace canary::fetch

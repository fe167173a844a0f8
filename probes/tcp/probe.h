// SPDX-License-Identifier: Apache-2.0
// The `tcp` probe: connects, says what it is told to say, and holds what comes against what is
// expected. No connection and no answer are "could not tell"; another answer is bad.
// Thread: loop.
#pragma once

#include "probes/probe.h"
#include "probes/tcp/spec.h"
#include "runtime/task.h"

namespace canary::tcp {

// Throws operation_aborted when cancelled; the report then holds what was found so far.
runtime::Task<void> probe_server(Spec spec, probes::ProbeContext context);

}  // namespace canary::tcp

// SPDX-License-Identifier: Apache-2.0
// The `tls` probe: shakes hands, goes on whatever is shown, and judges it.
// Thread: loop.
#pragma once

#include "probes/probe.h"
#include "probes/tls/spec.h"
#include "runtime/task.h"

namespace canary::tls {

// Throws operation_aborted when cancelled; the report then holds what was found so far.
runtime::Task<void> probe_server(Spec spec, probes::ProbeContext context);

}  // namespace canary::tls

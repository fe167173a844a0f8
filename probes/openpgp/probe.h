// SPDX-License-Identifier: Apache-2.0
// The `openpgp` probe: fetches files of keys and what they signed, reads them on a worker, judges.
// Thread: loop.
#pragma once

#include "probes/openpgp/spec.h"
#include "probes/probe.h"
#include "runtime/task.h"

namespace canary::openpgp {

// Throws operation_aborted when cancelled; the report then holds what was found so far.
runtime::Task<void> probe_keys(Spec spec, config::HttpSettings settings,
                               probes::ProbeContext context);

}  // namespace canary::openpgp

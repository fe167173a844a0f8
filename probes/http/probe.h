// SPDX-License-Identifier: Apache-2.0
// The `http` probe: one request, its redirects and attempts, and what is expected of its answer.
// Thread: loop.
#pragma once

#include "probes/http/spec.h"
#include "probes/probe.h"
#include "runtime/task.h"

namespace canary::http {

// Throws operation_aborted when cancelled; the report then holds what was found so far.
runtime::Task<void> probe_url(Spec spec, config::HttpSettings settings,
                              probes::ProbeContext context);

}  // namespace canary::http

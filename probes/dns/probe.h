// SPDX-License-Identifier: Apache-2.0
// The `dns` probe: one question to each of its servers.
// Thread: loop.
#pragma once

#include "probes/dns/spec.h"
#include "probes/probe.h"
#include "runtime/task.h"

namespace canary::dns {

// Throws operation_aborted when cancelled; the report then holds what was found so far.
runtime::Task<void> probe_servers(Spec spec, probes::ProbeContext context);

}  // namespace canary::dns

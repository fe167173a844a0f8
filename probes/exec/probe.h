// SPDX-License-Identifier: Apache-2.0
// The `exec` probe: runs a program and takes its word, by the contract of Nagios plugins.
// Thread: loop.
#pragma once

#include <vector>

#include "probes/exec/conversation.h"
#include "probes/exec/plugin_output.h"
#include "probes/exec/spec.h"
#include "probes/probe.h"
#include "runtime/task.h"

namespace canary::exec {

// Throws operation_aborted when cancelled, once the program has ended.
runtime::Task<void> probe_program(Spec spec, probes::ProbeContext context);

// What its end says. Pure.
probes::Finding judge(Spec const& spec, Ended const& ended, PluginOutput const& said);

}  // namespace canary::exec

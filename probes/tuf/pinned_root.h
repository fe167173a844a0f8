// SPDX-License-Identifier: Apache-2.0
// The pinned root's file, which is ours and may be anywhere.
// Thread: loop; the file is read on a file thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/probe.h"
#include "probes/tuf/spec.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::tuf {

class TrustMemory;

// Its bytes as they are now; where the disk does not answer, as they were read before, with a
// warning. Nothing, after a finding that says why, where there is none to verify. Both references
// outlive the task. `memory` may be null.
runtime::Task<std::optional<std::string>> read_pinned_root(Spec const& spec,
                                                           probes::ProbeContext const& context,
                                                           std::shared_ptr<TrustMemory> memory,
                                                           runtime::Trace trace);

}  // namespace canary::tuf

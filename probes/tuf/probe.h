// SPDX-License-Identifier: Apache-2.0
// The `tuf` probe: a client's whole view of a repository, from the pinned root to the last target,
// as findings. docs/checks.md explains each check.
// Thread: loop; check_root() any.
#pragma once

#include <optional>
#include <string>

#include "probes/probe.h"
#include "probes/report.h"
#include "probes/tuf/metadata.h"
#include "probes/tuf/spec.h"
#include "runtime/task.h"

namespace canary::tuf {

// Runs the workflow as a client that is told to look on past expired roles, so that all of them
// are found; nothing of what an expired chain says is stored as trusted.
//
// Which root it starts from: the newest one stored, if the state directory was filled from this
// very pinned root (the SHA-256 of its file is kept beside it); the way from the pinned root to
// the stored one is then replayed against the server, because a freshly installed client has to go
// it. Otherwise the pinned root. Stored timestamp and snapshot are for comparison in either case.
//
// Throws operation_aborted when cancelled; the report then holds what was found so far.
runtime::Task<void> probe_repository(Spec spec, config::HttpSettings http,
                                     probes::ProbeContext context);

// A pinned root's file.
struct RootFile {
  std::string bytes;
  std::string name;  // what messages call it
  std::optional<Time> last_modified{};
};
// Verifies a pinned root alone: form, keys, its own signatures and threshold, expiry.
probes::Report check_root(RootFile file, Time now, config::ExpiryThresholds const& thresholds);

}  // namespace canary::tuf

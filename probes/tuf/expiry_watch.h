// SPDX-License-Identifier: Apache-2.0
// Which expiry thresholds are in force for the roles of one run: what is configured, what was seen
// in earlier runs, and what the server says of its files.
// Thread: loop; the file of what was seen is touched on the disk worker.
#pragma once

#include <optional>
#include <string>

#include "probes/report.h"
#include "probes/tuf/metadata.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/sightings.h"
#include "probes/tuf/spec.h"
#include "probes/tuf/store.h"
#include "probes/tuf/validity.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::tuf {

class ExpiryWatch {
 public:
  // All references outlive it.
  ExpiryWatch(ExpirySpec const& policy, Time now, RoleStore& store, Refresh& refresh)
      : policy_(policy), now_(now), store_(store), refresh_(refresh) {}

  // What earlier runs saw, of the repository with this pinned root (the SHA-256 of its file).
  // Without it nothing was seen yet. A finding where there was something that cannot be used.
  runtime::Task<std::optional<probes::Finding>> load(std::string pin, runtime::Trace trace);
  // For the next run, where there is something new. A finding where our disk refused.
  runtime::Task<std::optional<probes::Finding>> store(runtime::Trace trace);

  // REQUIRES: the content was verified; it is what is served now.
  ThresholdsInForce thresholds(std::string const& role, Common const& content);

  // The newest root may be one that nobody needed to ask the server for. Asks, where the time of
  // its file could make a difference.
  runtime::Task<void> look_at_root(runtime::Trace trace);

 private:
  ExpirySpec const& policy_;
  Time now_;
  RoleStore& store_;
  Refresh& refresh_;
  Sightings sightings_;
  std::string pin_;
};

}  // namespace canary::tuf

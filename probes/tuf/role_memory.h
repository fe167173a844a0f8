// SPDX-License-Identifier: Apache-2.0
// Where what is known of the delegated roles is between runs: in the probe's memory, and in the
// state directory for the next process.
// Thread: loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "probes/report.h"
#include "probes/tuf/known_roles.h"
#include "probes/tuf/store.h"
#include "probes/tuf/trust_memory.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::tuf {

class RoleMemory {
 public:
  // Null `memory`: nothing is remembered. `store` outlives this; `pin` is the SHA-256 of the pinned
  // root's file.
  RoleMemory(std::shared_ptr<TrustMemory> memory, RoleStore& store, std::string pin);
  RoleMemory(RoleMemory const&) = delete;
  RoleMemory& operator=(RoleMemory const&) = delete;
  bool remembers() const { return memory_ != nullptr; }

  // Never null. It belongs to the caller, who gives it back: a run that is cut short as well. A
  // finding where what was kept could not be used: then nothing is known.
  struct Taken {
    std::shared_ptr<KnownRoles> known;
    std::optional<probes::Finding> finding;
  };
  runtime::Task<Taken> take(runtime::Trace trace);
  // For the next run.
  void give_back(std::shared_ptr<KnownRoles> known);
  // For the next process, as KnownRoles wrote it. A finding where our disk refused.
  runtime::Task<std::optional<probes::Finding>> write(RoleStore::Bytes text, runtime::Trace trace);

 private:
  std::shared_ptr<TrustMemory> memory_;
  RoleStore& store_;
  std::string pin_;
};

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Verifies the delegated roles that clients of the run's targets visit, and those whose turn it is;
// reports what it finds, and what is known of the others.
// Thread: loop; choosing, oddities and what is known of many roles on a worker.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probes/tuf/delegation.h"
#include "probes/tuf/known_roles.h"
#include "probes/tuf/prefetch.h"
#include "probes/tuf/role_findings.h"
#include "probes/tuf/role_memory.h"
#include "runtime/task.h"

namespace canary::tuf {

// Lives in the frame of the coroutine that awaits run(), as does all it refers to.
class TurnAudit {
 public:
  TurnAudit(AuditParts run, RoleMemory& memory);
  ~TurnAudit();
  TurnAudit(TurnAudit const&) = delete;
  TurnAudit& operator=(TurnAudit const&) = delete;

  // REQUIRES: update_targets() succeeded; Refresh::find() was called for the run's targets.
  runtime::Task<void> run(runtime::Trace trace);
  // Every role that can be reached was verified, in this run or when it was looked at last. After
  // run().
  bool complete() const { return complete_; }

 private:
  // How the looks at one role went so far.
  struct Look {
    std::size_t tried = 0;  // delegators
    std::size_t left = 0;   // delegators that are still to come in this run
    RoleLook found;
  };
  struct Conclusion;
  runtime::Task<void> plan(runtime::Trace trace);
  runtime::Task<void> follow(Prefetch& prefetch, runtime::Trace trace);
  runtime::Task<void> look(NeedRole need, Refresh::Answer answer, runtime::Trace trace);
  void refused(Look& look, RefreshFailure const& failure);
  void tried(NeedRole const& need);
  runtime::Task<Conclusion> conclusion(runtime::Trace trace);
  runtime::Task<void> tell(Conclusion concluded, runtime::Trace trace);
  void tell_count(KnownRoles::Count const& count);
  std::size_t most() const;

  AuditParts run_;
  RoleMemory& memory_;
  RoleFindings findings_;
  std::shared_ptr<KnownRoles> known_;  // null: a worker has it
  std::set<NeedRole> visited_;         // by clients of the targets
  std::vector<NeedRole> in_turn_;
  std::size_t begun_ = 0;  // of in_turn_
  std::map<std::string, Look> looks_;
  bool all_known_ = true;  // within the limit
  bool complete_ = true;
};

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Verifies every delegated role by every delegator that leads to it, and reports what it finds.
// Thread: loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/report.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/prefetch.h"
#include "probes/tuf/role_findings.h"
#include "runtime/task.h"

namespace canary::tuf {

// Lives in the frame of the coroutine that awaits run(), as does all it refers to.
class DelegationAudit {
 public:
  explicit DelegationAudit(AuditParts run);
  ~DelegationAudit();
  DelegationAudit(DelegationAudit const&) = delete;
  DelegationAudit& operator=(DelegationAudit const&) = delete;

  // REQUIRES: update_targets() succeeded.
  runtime::Task<void> run(runtime::Trace trace);
  // Every role that can be reached was looked at and verified. After run().
  bool complete() const { return complete_; }
  // The targets roles that were accepted, in the order of the walk, "targets" first.
  std::vector<std::string> take_accepted() { return std::move(accepted_); }

 private:
  runtime::Task<void> follow(Prefetch& prefetch, runtime::Trace trace);
  void report_good();
  void conclude_cycles();
  void conclude();

  AuditParts run_;
  RoleFindings findings_;
  std::shared_ptr<DelegationWalk> walk_;
  bool complete_ = true;
  std::vector<std::string> accepted_{"targets"};
};

// A delegation that leads back to a role on the way to it. `times`: so many, of which this is one.
void add_cycle(probes::Collector& findings, NeedRole const& cycle, std::uint64_t times);

}  // namespace canary::tuf

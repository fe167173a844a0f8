// SPDX-License-Identifier: Apache-2.0
// Verifies every delegated role by every delegator that leads to it, and reports what it finds.
// Thread: loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/collector.h"
#include "probes/probe.h"
#include "probes/report.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/expiry_watch.h"
#include "probes/tuf/findings.h"
#include "probes/tuf/prefetch.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/spec.h"
#include "runtime/task.h"

namespace canary::tuf {

// Lives in the frame of the coroutine that awaits run(), as does all it refers to.
class DelegationAudit {
 public:
  DelegationAudit(Spec const& spec, probes::ProbeContext const& context, Refresh& refresh,
                  ExpiryWatch& expiry);
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
  void report(std::string const& role);
  void look_at_name(std::string const& role);
  void keep_facts(probes::ThingFacts facts);
  void report_good();
  void conclude_cycles();
  void conclude();
  void add(probes::Finding finding) {
    add_of_role(*context_.findings, refresh_, std::move(finding));
  }

  Spec const& spec_;
  probes::ProbeContext const& context_;
  Refresh& refresh_;
  std::shared_ptr<DelegationWalk> walk_;
  ExpiryWatch& expiry_;
  bool complete_ = true;
  std::size_t odd_names_ = 0;
  std::vector<std::string> accepted_{"targets"};
  std::vector<probes::Finding> good_;      // ok findings, named singly or summed up
  std::vector<probes::ThingFacts> facts_;  // a heap, the last to expire first
};

// Adds what is odd about `role`, or about all delegated ones where it is "". There are as many
// oddities as the publisher likes: a worker goes through them. The first two outlive the task.
runtime::Task<void> add_notices(probes::Collector& findings, Refresh& refresh, std::string role,
                                runtime::Trace trace);

}  // namespace canary::tuf

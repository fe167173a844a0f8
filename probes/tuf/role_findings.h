// SPDX-License-Identifier: Apache-2.0
// What is told of delegated roles, whichever way a run comes to them.
// Thread: loop; oddities are gone through on a worker.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "probes/collector.h"
#include "probes/probe.h"
#include "probes/report.h"
#include "probes/tuf/expiry_watch.h"
#include "probes/tuf/findings.h"
#include "probes/tuf/known_roles.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/spec.h"
#include "runtime/task.h"

namespace canary::tuf {

// Files of delegated roles that are fetched while one before them is verified, spare connections
// aside.
inline constexpr std::size_t kRolesAhead = 4;

// What audits of a run work with; all of it outlives them.
struct AuditParts {
  Spec const& spec;
  probes::ProbeContext const& context;
  Refresh& refresh;
  ExpiryWatch& expiry;
};

class RoleFindings {
 public:
  explicit RoleFindings(AuditParts run) : run_(run) {}

  // Tells of a role that was accepted, but for its oddities. `delegator`: who leads to it.
  struct Told {
    RoleFacts facts;
    std::vector<probes::Finding> bad;  // that are not ok
  };
  Told report(std::string const& role, std::string const& delegator);
  // The same of what an earlier run saw. REQUIRES: `known` has facts, and a delegator.
  void report_known(std::string const& role, KnownRole const& known);
  // At the end: those that are ok, singly or, where they are many, by the sentence `of_many`, and
  // what is known of the first to expire. Nothing of many is said where that is "".
  void report_good(std::string const& of_many);
  void add(probes::Finding finding) {
    add_of_role(*run_.context.findings, run_.refresh, std::move(finding));
  }
  // What the run is at, for one that is cut short.
  void at(std::string const& role, std::size_t done);

  std::size_t roles() const { return roles_; }  // that report() told of

 private:
  std::vector<probes::Finding> look_at_name(std::string const& role);
  void keep_facts(probes::ThingFacts facts);

  AuditParts run_;
  std::size_t roles_ = 0;
  std::size_t odd_names_ = 0;
  std::vector<probes::Finding> good_;      // ok findings, named singly or summed up
  std::vector<probes::ThingFacts> facts_;  // a heap, the last to expire first
};

// Adds what is odd about `role`, or about all delegated ones where it is "". There are as many
// oddities as the publisher likes: a worker goes through them. The first two outlive the task.
runtime::Task<void> add_notices(probes::Collector& findings, Refresh& refresh, std::string role,
                                runtime::Trace trace);

}  // namespace canary::tuf

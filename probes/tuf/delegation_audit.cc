// SPDX-License-Identifier: Apache-2.0
// Walks the delegations with downloads running ahead.
// Thread: loop.
#include "probes/tuf/delegation_audit.h"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "probes/fetch/services.h"
#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/task_group.h"

namespace canary::tuf {

using probes::Finding;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

DelegationAudit::DelegationAudit(AuditParts run) : run_(run), findings_(run) {
  auto const limit = static_cast<std::size_t>(std::max(0, run_.spec.limits.delegated_roles));
  walk_ = std::make_shared<DelegationWalk>(run_.refresh.trusted(), limit);
}

DelegationAudit::~DelegationAudit() {
  run_.context.cpu.retire(std::move(walk_));
  run_.context.cpu.retire(std::move(accepted_));
}

Task<void> DelegationAudit::run(Trace trace) {
  runtime::require_loop_thread();
  runtime::Frame const frame{trace, "tuf.delegations"};
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  auto const most = static_cast<std::size_t>(std::max(0, run_.spec.limits.delegated_roles));
  auto order = [&refresh = run_.refresh](std::string const& delegator,
                                         std::uint64_t place) -> std::optional<std::string> {
    Targets const* const targets = refresh.trusted().targets(delegator);
    bool const there =
        targets != nullptr && targets->delegations && place < count_of(*targets->delegations);
    return there ? std::optional{name_at(*targets->delegations, place)} : std::nullopt;
  };
  Prefetch prefetch{{run_.refresh, group, run_.context.http.spare},
                    std::move(order),
                    {.ahead = kRolesAhead, .most = most}};
  // In the group as well: whatever ends the walk, join() sees the downloads out.
  group.start(follow(prefetch, frame.trace()));
  co_await group.join(frame.trace());
  report_good();
  co_await add_notices(*run_.context.findings, run_.refresh, "", frame.trace());
  conclude_cycles();
  conclude();
}

// `prefetch` lives in the frame of run().
Task<void> DelegationAudit::follow(Prefetch& prefetch, Trace trace) {
  runtime::Turn turn;
  while (std::optional<NeedRole> need = walk_->next()) {
    if (turn.over()) co_await turn.pass(trace);
    if (run_.refresh.work().spent()) break;
    if (need->role.size() > RunBudget{}.name) {
      findings_.add(long_name_finding(kDelegations, need->role));
      complete_ = false;
      continue;
    }
    findings_.at(need->role, walk_->pairs() - 1);
    bool const known = run_.refresh.trusted().targets(need->role) != nullptr;
    std::string const role = need->role, delegator = need->delegator;
    Refresh::Answer answer = co_await prefetch.take(role, delegator, trace);
    RefreshResult<void> const updated =
        co_await run_.refresh.update_delegated(std::move(*need), std::move(answer), trace);
    if (!updated) {
      findings_.add(finding_of(updated.error(), Stage::metadata));
      complete_ = false;
    } else if (!known) {
      accepted_.push_back(role);
      findings_.report(role, delegator);
    }
  }
}

void DelegationAudit::report_good() {
  findings_.report_good("no finding of its own for a delegated role means that it is ok: " +
                        count(findings_.roles(), "role") + " looked at");
}

void DelegationAudit::conclude_cycles() {
  std::uint64_t unnamed = walk_->cycles() - walk_->named_cycles().size();
  for (NeedRole const& cycle : walk_->named_cycles()) {
    add_cycle(*run_.context.findings, cycle, 1 + std::exchange(unnamed, 0));
  }
}

void add_cycle(probes::Collector& findings, NeedRole const& cycle, std::uint64_t times) {
  findings.add({.check = std::string(kDelegations),
                .subject = cycle.role,
                .severity = Severity::warning,
                .reason = probes::Reason::parse,
                .message = "the delegation leads back to a role on the way to it: some clients "
                           "go round for ever",
                .evidence = cycle.delegator + " delegates to " + cycle.role},
               times);
}

void DelegationAudit::conclude() {
  std::size_t const roles = findings_.roles();
  Finding rest{.check = std::string(kDelegations),
               .subject = "targets",
               .severity = Severity::unknown,
               .reason = probes::Reason::size_limit,
               .message = {},
               .evidence = {}};
  if (run_.refresh.work().spent()) {
    rest.message = count(roles, "delegated role") + " verified, the rest " +
                   run_.refresh.work().refusal("targets").detail;
    rest.evidence = "budget of CPU time";
    complete_ = false;
    findings_.add(std::move(rest));
  } else if (walk_->truncated()) {
    rest.message = "there are more delegations than the limit of " +
                   std::to_string(walk_->pairs()) + "; the rest was not looked at";
    rest.evidence = "limits.delegated_roles";
    complete_ = false;
    findings_.add(std::move(rest));
  } else if (walk_->pairs() > 0) {
    findings_.add(ok_finding(kDelegations, "", count(roles, "delegated role") + " verified"));
  }
}

}  // namespace canary::tuf

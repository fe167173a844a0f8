// SPDX-License-Identifier: Apache-2.0
// Walks the delegations with downloads running ahead.
// Thread: loop; oddities are gone through on a worker.
#include "probes/tuf/delegation_audit.h"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "probes/fetch/services.h"
#include "probes/tuf/client_requests.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/targets.h"
#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/task_group.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

// Facts of more roles would be more series than a monitor wants; the first to expire are kept.
constexpr std::size_t kDelegatedFacts = 64;
// Files of delegated roles that are fetched while one before them is verified, spare connections
// aside.
constexpr std::size_t kRolesAhead = 4;

}  // namespace

DelegationAudit::DelegationAudit(Spec const& spec, probes::ProbeContext const& context,
                                 Refresh& refresh, ExpiryWatch& expiry)
    : spec_(spec), context_(context), refresh_(refresh), expiry_(expiry) {
  auto const limit = static_cast<std::size_t>(std::max(0, spec_.limits.delegated_roles));
  walk_ = std::make_shared<DelegationWalk>(refresh_.trusted(), limit);
}

DelegationAudit::~DelegationAudit() {
  context_.cpu.retire(std::move(walk_));
  context_.cpu.retire(std::move(accepted_));
}

Task<void> DelegationAudit::run(Trace trace) {
  runtime::require_loop_thread();
  runtime::Frame const frame{trace, "tuf.delegations"};
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  auto const most = static_cast<std::size_t>(std::max(0, spec_.limits.delegated_roles));
  Prefetch prefetch{refresh_, group, context_.http.spare, {.ahead = kRolesAhead, .most = most}};
  // In the group as well: whatever ends the walk, join() sees the downloads out.
  group.start(follow(prefetch, frame.trace()));
  co_await group.join(frame.trace());
  report_good();
  co_await add_notices(*context_.findings, refresh_, "", frame.trace());
  conclude_cycles();
  conclude();
}

// `prefetch` lives in the frame of run().
Task<void> DelegationAudit::follow(Prefetch& prefetch, Trace trace) {
  runtime::Turn turn;
  while (std::optional<NeedRole> need = walk_->next()) {
    if (turn.over()) co_await turn.pass(trace);
    if (refresh_.work().spent()) break;
    if (need->role.size() > RunBudget{}.name) {
      add(long_name_finding(kDelegations, need->role));
      complete_ = false;
      continue;
    }
    context_.report.step =
        "the delegated role " + need->role + ", " + count(walk_->pairs() - 1, "role") + " done";
    std::string const url = spec_.metadata_url.child(metadata_file(need->role)).text();
    context_.report.step_url = url.substr(0, url.find('?'));
    bool const known = refresh_.trusted().targets(need->role) != nullptr;
    std::string const role = need->role;
    Refresh::Answer answer = co_await prefetch.take(*need, trace);
    RefreshResult<void> const updated =
        co_await refresh_.update_delegated(std::move(*need), std::move(answer), trace);
    if (!updated) {
      add(finding_of(updated.error(), Stage::metadata));
      complete_ = false;
    } else if (!known) {
      report(role);
    }
  }
}

// Clients may ask for different files.
void DelegationAudit::look_at_name(std::string const& role) {
  auto odd = odd_role_name(request_folder(spec_.metadata_url), role);
  if (!odd || ++odd_names_ > kRolesNamed) return;
  add({.check = std::string(kDelegations),
       .subject = role,
       .severity = Severity::warning,
       .reason = kMetadataMissing,
       .message = std::move(*odd),
       .evidence = metadata_file(role)});
}

void DelegationAudit::report(std::string const& role) {
  TrustedMetadata const& trusted = refresh_.trusted();
  Targets const& content = *trusted.targets(role);
  accepted_.push_back(role);
  look_at_name(role);
  ThresholdsInForce const thresholds = expiry_.thresholds(role, content);
  std::vector<Finding> found{expiry_finding(role, content.expires, context_.now, thresholds),
                             signature_finding(role, trusted.tallies().find(role)->second)};
  for (Finding& finding : found) {
    if (finding.severity != Severity::ok) {
      add(std::move(finding));
    } else if (accepted_.size() <= kRolesNamed + 1) {
      good_.push_back(std::move(finding));
    }
  }
  probes::ThingFacts facts = role_facts(role, content, thresholds, trusted.bytes(role).size());
  facts.one_of_many = true;
  keep_facts(std::move(facts));
}

void DelegationAudit::keep_facts(probes::ThingFacts facts) {
  auto const later = [](probes::ThingFacts const& a, probes::ThingFacts const& b) {
    return a.expiry->at < b.expiry->at;
  };
  facts_.push_back(std::move(facts));
  std::push_heap(facts_.begin(), facts_.end(), later);
  if (facts_.size() <= kDelegatedFacts) return;
  std::pop_heap(facts_.begin(), facts_.end(), later);
  facts_.pop_back();
}

void DelegationAudit::report_good() {
  std::size_t const roles = accepted_.size() - 1;  // without "targets"
  if (roles <= kRolesNamed) {
    for (Finding& finding : good_) add(std::move(finding));
  } else {
    std::string const all =
        "no finding of its own for a delegated role means that it is ok: " + count(roles, "role") +
        " looked at";
    add(ok_finding(kExpiry, "", all));
    add(ok_finding(kSignatures, "", all));
  }
  std::sort(facts_.begin(), facts_.end(),
            [](auto const& a, auto const& b) { return a.expiry->at < b.expiry->at; });
  auto& facts = context_.report.measurements.things;
  facts.insert(facts.end(), facts_.begin(), facts_.end());
}

void DelegationAudit::conclude_cycles() {
  std::uint64_t unnamed = walk_->cycles() - walk_->named_cycles().size();
  for (NeedRole const& cycle : walk_->named_cycles()) {
    Finding finding{.check = std::string(kDelegations),
                    .subject = cycle.role,
                    .severity = Severity::warning,
                    .reason = probes::Reason::parse,
                    .message =
                        "the delegation leads back to a role on the way to it: some clients "
                        "go round for ever",
                    .evidence = cycle.delegator + " delegates to " + cycle.role};
    context_.findings->add(std::move(finding), 1 + std::exchange(unnamed, 0));
  }
}

void DelegationAudit::conclude() {
  std::size_t const roles = accepted_.size() - 1;
  Finding rest{.check = std::string(kDelegations),
               .subject = "targets",
               .severity = Severity::unknown,
               .reason = probes::Reason::size_limit,
               .message = {},
               .evidence = {}};
  if (refresh_.work().spent()) {
    rest.message = count(roles, "delegated role") + " verified, the rest " +
                   refresh_.work().refusal("targets").detail;
    rest.evidence = "budget of CPU time";
    complete_ = false;
    add(std::move(rest));
  } else if (walk_->truncated()) {
    rest.message = "there are more delegations than the limit of " +
                   std::to_string(walk_->pairs()) + "; the rest was not looked at";
    rest.evidence = "limits.delegated_roles";
    complete_ = false;
    add(std::move(rest));
  } else if (walk_->pairs() > 0) {
    add(ok_finding(kDelegations, "", count(roles, "delegated role") + " verified"));
  }
}

Task<void> add_notices(probes::Collector& findings, Refresh& refresh, std::string role,
                       Trace trace) {
  runtime::require_loop_thread();
  auto job = [trusted = refresh.shared(), role = std::move(role)] {
    Notices own;
    for (Notice const& notice : trusted->notices()) {
      bool const wanted = role.empty() ? is_delegated_role_name(notice.role) : notice.role == role;
      if (wanted) own.push_back(notice);
    }
    return notice_findings(own);
  };
  auto found = co_await refresh.work().run(trace, "tuf.notices", std::move(job));
  for (Finding& finding : found) add_of_role(findings, refresh, std::move(finding));
}

}  // namespace canary::tuf

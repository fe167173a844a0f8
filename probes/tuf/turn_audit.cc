// SPDX-License-Identifier: Apache-2.0
// Thread: loop, but what a worker is given.
#include "probes/tuf/turn_audit.h"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "probes/fetch/services.h"
#include "probes/tuf/delegation_audit.h"
#include "probes/tuf/role_name.h"
#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/task_group.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Severity;

// The roles of `pairs` that were accepted, and "targets".
std::set<std::string> loaded_of(TrustedMetadata const& trusted, std::set<NeedRole> const& pairs) {
  std::set<std::string> loaded{"targets"};
  for (NeedRole const& pair : pairs) {
    if (trusted.targets(pair.role) != nullptr) loaded.insert(pair.role);
  }
  return loaded;
}

// What is odd about each delegated role.
std::map<std::string, std::vector<Finding>> oddities_of(TrustedMetadata const& trusted) {
  std::map<std::string, Notices> by_role;
  for (Notice const& notice : trusted.notices()) {
    if (is_delegated_role_name(notice.role)) by_role[notice.role].push_back(notice);
  }
  std::map<std::string, std::vector<Finding>> findings;
  for (auto const& [role, notices] : by_role) findings[role] = notice_findings(notices);
  return findings;
}

}  // namespace

using runtime::Task;
using runtime::Trace;

// What a worker makes of a run.
struct TurnAudit::Conclusion {
  std::shared_ptr<KnownRoles> known;
  bool all_known = true;
  std::vector<Finding> oddities;
  KnownRoles::Retold retold;
  KnownRoles::Cycles cycles;
  KnownRoles::Count count;
  RoleStore::Bytes text;  // null: nothing is remembered
};

TurnAudit::TurnAudit(AuditParts run, RoleMemory& memory)
    : run_(run), memory_(memory), findings_(run) {}

TurnAudit::~TurnAudit() {
  if (known_ && memory_.remembers()) memory_.give_back(std::move(known_));
  run_.context.cpu.retire(std::move(known_));
  run_.context.cpu.retire(std::move(visited_));
  run_.context.cpu.retire(std::move(in_turn_));
  run_.context.cpu.retire(std::move(looks_));
}

std::size_t TurnAudit::most() const {
  return static_cast<std::size_t>(std::max(0, run_.spec.limits.delegated_roles));
}

Task<void> TurnAudit::run(Trace trace) {
  runtime::require_loop_thread();
  runtime::Frame const frame{trace, "tuf.delegations"};
  RoleMemory::Taken taken = co_await memory_.take(frame.trace());
  if (taken.finding) findings_.add(std::move(*taken.finding));
  known_ = std::move(taken.known);
  co_await plan(frame.trace());
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  auto order = [this](std::string const&, std::uint64_t place) -> std::optional<std::string> {
    return place < in_turn_.size() ? std::optional{in_turn_[place].role} : std::nullopt;
  };
  Prefetch prefetch{{run_.refresh, group, run_.context.http.spare},
                    std::move(order),
                    {.ahead = kRolesAhead, .most = most()}};
  // In the group as well: whatever ends the walk, join() sees the downloads out.
  group.start(follow(prefetch, frame.trace()));
  co_await group.join(frame.trace());
  Conclusion concluded = co_await conclusion(frame.trace());
  co_await tell(std::move(concluded), frame.trace());
}

// Of what is remembered by nobody, nothing has a turn.
Task<void> TurnAudit::plan(Trace trace) {
  struct Planned {
    std::shared_ptr<KnownRoles> known;
    bool all_known = true;
    std::vector<NeedRole> in_turn;
  };
  visited_ = run_.refresh.visited();
  auto job = [known = std::exchange(known_, nullptr), trusted = run_.refresh.shared(),
              visited = visited_, most = most(), turns = memory_.remembers()] {
    known->begin_run();
    Planned planned{.known = known};
    planned.all_known = known->learn(*trusted, loaded_of(*trusted, visited), most);
    if (!turns) return planned;
    planned.in_turn = known->plan(*trusted, visited);
    std::erase_if(planned.in_turn, [&](NeedRole const& pair) { return visited.contains(pair); });
    return planned;
  };
  Planned planned = co_await run_.refresh.work().run(trace, "tuf.plan", std::move(job));
  known_ = std::move(planned.known);
  all_known_ = planned.all_known;
  in_turn_ = std::move(planned.in_turn);
}

// `prefetch` lives in the frame of run().
Task<void> TurnAudit::follow(Prefetch& prefetch, Trace trace) {
  runtime::Turn turn;
  for (NeedRole const& pair : visited_) ++looks_[pair.role].left;
  for (NeedRole const& pair : in_turn_) ++looks_[pair.role].left;
  for (NeedRole const& pair : visited_) {
    if (turn.over()) co_await turn.pass(trace);
    co_await look(pair, std::nullopt, trace);
  }
  for (NeedRole const& pair : in_turn_) {
    if (turn.over()) co_await turn.pass(trace);
    if (run_.refresh.work().spent()) break;
    findings_.at(pair.role, begun_++);
    Refresh::Answer answer = co_await prefetch.take(pair.role, {}, trace);
    co_await look(pair, std::move(answer), trace);
  }
}

Task<void> TurnAudit::look(NeedRole need, Refresh::Answer answer, Trace trace) {
  TrustedMetadata const& trusted = run_.refresh.trusted();
  Look& look = looks_[need.role];
  --look.left;
  // Behind a role that could not be verified: nothing is learnt of it.
  if (trusted.targets(need.delegator) == nullptr) {
    tried(need);
    co_return;
  }
  ++look.tried;
  if (need.role.size() > RunBudget{}.name) {
    findings_.add(long_name_finding(kDelegations, need.role));
    look.found.told = false;
  } else if (!trusted.is_trusted(need.role, need.delegator)) {
    auto const updated = co_await run_.refresh.update_delegated(need, std::move(answer), trace);
    if (!updated) refused(look, updated.error());
  }
  if (trusted.targets(need.role) != nullptr && !look.found.facts) {
    RoleFindings::Told told = findings_.report(need.role, need.delegator);
    look.found.facts = told.facts;
    std::erase_if(told.bad, [](Finding const& bad) { return bad.check == kExpiry; });
    std::ranges::move(told.bad, std::back_inserter(look.found.findings));
  }
  tried(need);
}

void TurnAudit::refused(Look& look, RefreshFailure const& failure) {
  Rejection const* const why = failure.rejection();
  // By what its delegator says now; the next run knows.
  if (why != nullptr && why->rule == Rule::role_not_delegated) return;
  Finding finding = finding_of(failure, Stage::metadata);
  // Refused alike by another delegator's keys.
  if (std::ranges::find(look.found.findings, finding) != look.found.findings.end()) return;
  if (finding.severity == Severity::unknown) {
    look.found.told = false;
  } else {
    look.found.findings.push_back(finding);
  }
  findings_.add(std::move(finding));
}

// Noted at once, so that a run that is cut short does not begin with the same roles again.
void TurnAudit::tried(NeedRole const& need) {
  Look const& look = looks_[need.role];
  if (look.left > 0) return;
  KnownRole const* const role = known_->find(need.role);
  bool const by_all = role != nullptr && look.tried >= role->delegators.size();
  bool const bad = !look.found.told || !look.found.findings.empty();
  if (by_all || !visited_.contains(need)) known_->passed(need.role, bad);
}

Task<TurnAudit::Conclusion> TurnAudit::conclusion(Trace trace) {
  std::set<NeedRole> pairs = visited_;
  pairs.insert(in_turn_.begin(), in_turn_.end());
  auto job = [known = std::exchange(known_, nullptr), trusted = run_.refresh.shared(),
              looks = std::exchange(looks_, {}), pairs = std::move(pairs), most = most(),
              remembers = memory_.remembers(),
              telling = KnownRoles::Telling{run_.spec.expiry, run_.context.now, {}}]() mutable {
    Conclusion concluded{.known = known};
    auto oddities = oddities_of(*trusted);
    for (auto& [name, look] : looks) {
      auto& odd = oddities[name];
      std::ranges::copy(odd, std::back_inserter(look.found.findings));
      std::ranges::move(odd, std::back_inserter(concluded.oddities));
      KnownRole const* const role = known->find(name);
      if (role == nullptr || look.tried == 0) continue;
      look.found.role = name;
      if (look.tried >= role->delegators.size()) {
        known->looked(*trusted, std::move(look.found));
      } else {
        telling.partly[name] = std::move(look.found.findings);
      }
    }
    concluded.all_known = known->learn(*trusted, loaded_of(*trusted, pairs), most);
    concluded.retold = known->retell(*trusted, telling);
    concluded.cycles = known->cycles();
    concluded.count = known->count();
    if (remembers) concluded.text = std::make_shared<std::string const>(known->text());
    return concluded;
  };
  Conclusion concluded = co_await run_.refresh.work().run(trace, "tuf.known_roles", std::move(job));
  known_ = std::move(concluded.known);
  all_known_ = concluded.all_known;
  co_return concluded;
}

Task<void> TurnAudit::tell(Conclusion concluded, Trace trace) {
  runtime::Turn turn;
  for (Finding& finding : concluded.oddities) {
    if (turn.over()) co_await turn.pass(trace);
    findings_.add(std::move(finding));
  }
  for (auto& [finding, times] : concluded.retold.findings) {
    if (turn.over()) co_await turn.pass(trace);
    if (finding.url.empty()) finding.url = run_.refresh.url_of(finding.subject.text());
    run_.context.findings->add(std::move(finding), times);
  }
  std::uint64_t unnamed = concluded.cycles.count - concluded.cycles.named.size();
  for (NeedRole const& cycle : concluded.cycles.named) {
    add_cycle(*run_.context.findings, cycle, 1 + std::exchange(unnamed, 0));
  }
  for (std::string const& role : concluded.retold.facts) {
    findings_.report_known(role, *known_->find(role));
  }
  bool const spent = run_.refresh.work().spent();
  complete_ = all_known_ && concluded.count.complete && !spent;
  findings_.report_good(complete_
                            ? "no finding of its own for a delegated role means that it was ok "
                              "when it was looked at last: " +
                                  count(findings_.roles(), "role") + " in this run"
                            : std::string{});
  tell_count(concluded.count);
  auto refused = co_await memory_.write(std::move(concluded.text), trace);
  if (refused) findings_.add(std::move(*refused));
}

void TurnAudit::tell_count(KnownRoles::Count const& known) {
  Finding rest{.check = std::string(kDelegations),
               .subject = "targets",
               .severity = Severity::unknown,
               .reason = probes::Reason::size_limit};
  std::string const in_this_run = std::to_string(findings_.roles()) + " of " +
                                  count(known.known, "delegated role") + " verified in this run";
  if (run_.refresh.work().spent()) {
    rest.message =
        in_this_run + ", the rest of its turn " + run_.refresh.work().refusal("targets").detail;
    rest.evidence = "budget of CPU time";
    return findings_.add(std::move(rest));
  }
  if (!all_known_) {
    rest.message = "there are more delegations than the limit of " + std::to_string(most()) +
                   "; the rest has no turn";
    rest.evidence = "limits.delegated_roles";
    return findings_.add(std::move(rest));
  }
  if (known.known == 0) return;
  std::string message = in_this_run;
  if (!memory_.remembers()) {
    message +=
        ", those that clients of the targets visit; nothing is remembered, so no other has "
        "its turn";
  } else {
    message += "; each has its turn within " + std::to_string(KnownRoles::kRound) + " runs";
    if (known.waiting > 0) {
      message += ", " + std::to_string(known.waiting) + " for the first time";
    }
  }
  findings_.add(ok_finding(kDelegations, complete_ ? "" : "targets", std::move(message)));
}

}  // namespace canary::tuf

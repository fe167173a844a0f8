// SPDX-License-Identifier: Apache-2.0
// Verifiers that take one target after another until there is none.
// Thread: loop.
#include "probes/tuf/target_audit.h"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "probes/tuf/findings.h"
#include "runtime/contract.h"
#include "runtime/event.h"
#include "runtime/task_group.h"

namespace canary::tuf {

using probes::Severity;
using Kind = config::Selection::Kind;

namespace {
// Planned and not yet taken by a verifier.
constexpr std::size_t kQueued = 256;
// Failing targets that have a finding of their own.
constexpr std::size_t kTargetsNamed = 100;
}  // namespace

TargetAudit::TargetAudit(Spec const& spec, probes::ProbeContext const& context,
                         fetch::Client& client, Refresh& refresh)
    : spec_(spec),
      context_(context),
      client_(client),
      refresh_(refresh),
      base_(spec.targets_url ? *spec.targets_url : default_targets_url(spec.metadata_url)),
      served_(base_.origin() == spec.metadata_url.origin()) {}

TargetAudit::~TargetAudit() { context_.cpu.retire(std::move(plan_)); }

runtime::Task<void> TargetAudit::run(std::vector<std::string> roles, runtime::Trace trace) {
  runtime::require_loop_thread();
  if (spec_.targets.kind == Kind::none) co_return;
  runtime::Frame const frame{trace, "tuf.targets_audit"};
  auto const executor = co_await runtime::asio::this_coro::executor;
  room_.emplace(executor);
  runtime::TaskGroup group{executor};
  if (spec_.targets.kind == Kind::names) {
    if (!searched_) co_await search(frame.trace());
  } else {
    co_await make_plan(std::move(roles), frame.trace());
    group.start(queue_planned(frame.trace()));
  }
  for (int i = 0; i < std::max(1, spec_.parallel_targets); ++i) {
    verifiers_.push_back(std::make_unique<runtime::Event>(executor));
    group.start(verify_queued(*verifiers_.back(), frame.trace()));
  }
  co_await group.join(frame.trace());
  conclude();
}

// As a client would: the search decides which role speaks for a path.
runtime::Task<void> TargetAudit::search(runtime::Trace trace) {
  runtime::require_loop_thread();
  searched_ = true;
  if (spec_.targets.kind != Kind::names) co_return;
  names_ = spec_.targets.names;
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  std::uint64_t bytes = 0;
  for (std::string const& name : names_) {
    context_.report.step = "searching for the target " + name;
    auto const found = co_await refresh_.find(name, trace);
    if (!found) {
      report({name, found.error().why}, 1);
      continue;
    }
    queue_.push_back({{}, name, found.value().file});
    bytes += found.value().file.length;
  }
  all_queued_ = true;
  context_.progress.targets_total = queue_.size();
  context_.progress.bytes_total = bytes;
}

runtime::Task<void> TargetAudit::make_plan(std::vector<std::string> roles, runtime::Trace trace) {
  auto job = [trusted = refresh_.shared(), roles = std::move(roles)]() mutable {
    return std::make_shared<TargetPlan>(std::move(trusted), std::move(roles));
  };
  plan_ = co_await refresh_.work().run(trace, "targets.plan", std::move(job));
  context_.progress.targets_total = plan_->entries();
  context_.progress.bytes_total = plan_->bytes();
}

// Looks a little ahead of the verifiers.
runtime::Task<void> TargetAudit::queue_planned(runtime::Trace trace) {
  struct End {
    TargetAudit& audit;
    ~End() {
      audit.all_queued_ = true;
      audit.wake_verifiers();
    }
  };
  End const end{*this};  // however it ends: verifiers do not wait for a plan that comes no more
  while (!plan_->done() && !refresh_.work().spent()) {
    if (queue_.size() >= kQueued) {
      co_await room_->wait_until(trace, "targets.room", runtime::Deadline::never());
      continue;
    }
    auto job = [plan = plan_] { return plan->next(); };
    auto const planned = co_await refresh_.work().run(trace, "targets.plan", std::move(job));
    queue_.insert(queue_.end(), planned.begin(), planned.end());
    trace.progress();
    wake_verifiers();
  }
}

void TargetAudit::wake_verifiers() {
  for (auto const& verifier : verifiers_) verifier->notify();
}

runtime::Task<std::optional<PlannedTarget>> TargetAudit::next(runtime::Event& queued,
                                                              runtime::Trace trace) {
  while (queue_.empty()) {
    if (all_queued_) co_return std::nullopt;
    co_await queued.wait_until(trace, "targets.next", runtime::Deadline::never());
  }
  PlannedTarget const target = queue_.front();
  queue_.pop_front();
  if (queue_.size() < kQueued / 2) room_->notify();
  co_return target;
}

runtime::Task<void> TargetAudit::verify_queued(runtime::Event& queued, runtime::Trace trace) {
  runtime::Turn turn;
  while (true) {
    std::optional<PlannedTarget> const target = co_await next(queued, trace);
    if (!target) co_return;
    co_await verify(*target, trace);
    ++context_.progress.targets_done;
    if (turn.over()) co_await turn.pass(trace);
  }
}

runtime::Task<void> TargetAudit::verify(PlannedTarget target, runtime::Trace trace) {
  if (target.path.size() > RunBudget{}.name) {
    count_targets(kUnknown, 1);
    add(long_name_finding(kTargets, target.path));
    co_return;
  }
  std::string path{target.path};
  look_at_name(target);
  if (target.file.length > spec_.max_target_bytes) {
    count_targets(kUnknown, 1);
    add({.check = std::string(kTargets),
         .subject = std::move(path),
         .severity = Severity::unknown,
         .reason = probes::Reason::size_limit,
         .message = "not fetched: " + config::size_text(target.file.length) +
                    " are listed, above the probe's limit",
         .evidence = "max_target_bytes " + std::to_string(spec_.max_target_bytes)});
    co_return;
  }
  context_.report.step =
      "downloading targets, " + count(context_.progress.targets_done.load(), "target") + " done";
  context_.report.step_url = base_.text().substr(0, base_.text().find('?'));
  TargetRequest request{.base = base_,
                        .path = path,
                        .file = target.file,
                        .owner = refresh_.shared(),
                        .deadline = context_.deadline,
                        .counter = this};
  auto const fetched = co_await fetch_target(std::move(request), client_, context_.cpu, trace);
  if (!fetched) {
    failed(fetched.error());
    co_return;
  }
  verified();
  verified_bytes_ += target.file.length;
  if (fetched.value().hash_before_folder) {
    add({.check = std::string(kTargets),
         .subject = path,
         .severity = Severity::warning,
         .reason = kTargetMissing,
         .message = "verified, but it is only where some clients look: the hash stands "
                    "before the folder instead of the file's name",
         .evidence = fetched.value().url.text()});
  } else if (spec_.targets.kind == Kind::names) {
    add(ok_finding(kTargets, path, "verified, " + config::size_text(target.file.length)));
  }
}

void TargetAudit::verified() {
  count_targets(kVerified, 1);
  if (std::exchange(served_, true)) return;
  // This place serves files: what it refuses is missing, as storage services say it.
  for (RefreshFailure const& failure : refused_) report(failure, 1);
  std::uint64_t const more = refused_count_ - refused_.size();
  if (more > 0) report(refused_.back(), more);
  refused_.clear();
  refused_count_ = 0;
}

void TargetAudit::look_at_name(PlannedTarget const& target) {
  auto const& hashes = target.file.hashes;
  TargetName name{.path = target.path};
  if (refresh_.trusted().root().consistent_snapshot) {
    name.hash = hashes.sha256.empty() ? hashes.sha512 : hashes.sha256;
  }
  RequestFolder const folder = request_folder(base_);
  std::optional<std::string> odd = odd_target_name(folder, name);
  if (!odd || ++odd_names_ > kRolesNamed) return;
  add({.check = std::string(kTargets),
       .subject = std::string(target.path),
       .severity = Severity::warning,
       .reason = kTargetMissing,
       .message = std::move(*odd),
       .evidence = "asked for as " + target_request(folder.path, name)});
}

void TargetAudit::failed(RefreshFailure const& failure) {
  FetchFault const* fault = failure.fault();
  if (served_ || fault == nullptr || !fault->refused) return report(failure, 1);
  ++refused_count_;
  if (refused_.size() < kTargetsNamed) refused_.push_back(failure);
}

void TargetAudit::report(RefreshFailure const& failure, std::uint64_t times) {
  probes::Finding finding = finding_of(failure, Stage::target);
  // A failing role on the way to the target names itself in the message.
  std::string const& path = failure.role;
  if (finding.subject != path) {
    finding.message = finding.subject + ": " + finding.message;
    finding.subject = path;
  }
  finding.check = kTargets;
  count_targets(finding.severity == Severity::unknown ? kUnknown : kFailed, times);
  context_.findings->add(std::move(finding), times);
}

// Everything that was asked for there was answered with 403.
void TargetAudit::conclude_refused() {
  if (refused_count_ == 0) return;
  count_targets(kUnknown, refused_count_);
  add(refused_finding(*refused_.front().fault(), count(refused_count_, "target")));
}

void TargetAudit::conclude() {
  conclude_refused();
  auto const& measured = context_.report.measurements;
  if (plan_ != nullptr && plan_->unreachable() > 0) {
    add({.check = std::string(kDelegations),
         .subject = plan_->first_unreachable(),
         .severity = Severity::warning,
         .reason = kTargetMissing,
         .message = count(plan_->unreachable(), "listed target") +
                    " that no client's search can reach, this one among them",
         .evidence = "tuf 5.6.7"});
  }
  if (plan_ != nullptr && plan_->unresolved() > 0) {
    add({.check = std::string(kTargets),
         .subject = "",
         .severity = Severity::unknown,
         .reason = kMetadataMissing,
         .message = count(plan_->unresolved(), "target") +
                    " not looked at: the search for them needs a role that could not be verified",
         .evidence = "tuf 5.6.7"});
  }
  if (plan_ != nullptr) conclude_budget();
  if (odd_names_ > kRolesNamed) {
    add({.check = std::string(kTargets),
         .subject = "",
         .severity = Severity::warning,
         .reason = kTargetMissing,
         .message = "clients do not agree on the files of " +
                    count(odd_names_ - kRolesNamed, "further target") + ", because of their names",
         .evidence = count(odd_names_, "name")});
  }
  if (measured.value(kTargetCount, kFailed) > 0) return;
  if (measured.value(kTargetCount, kUnknown) > 0) return;
  if (spec_.targets.kind != Kind::all) return;
  add(ok_finding(
      kTargets, "",
      count(static_cast<std::uint64_t>(measured.value(kTargetCount, kVerified)), "target") +
          " verified, " + config::size_text(verified_bytes_)));
}

void TargetAudit::conclude_budget() {
  if (plan_->given_up() > 0) {
    count_targets(kUnknown, plan_->given_up());
    add({.check = std::string(kTargets),
         .subject = plan_->first_given_up(),
         .severity = Severity::unknown,
         .reason = probes::Reason::size_limit,
         .message = "not looked at, with " + count(plan_->given_up() - 1, "other target") +
                    ": the search for each takes more steps of matching patterns than the budget",
         .evidence = std::to_string(MatchBudget::kSearch) + " steps"});
  }
  if (plan_->left() > 0) {
    count_targets(kUnknown, plan_->left());
    Rejection const why = refresh_.work().refusal("targets");
    add({.check = std::string(kTargets),
         .subject = "targets",
         .severity = Severity::unknown,
         .reason = probes::Reason::size_limit,
         .message = count(plan_->left(), "target") + " " + why.detail,
         .evidence = std::string(name(why.rule))});
  }
}

void TargetAudit::add(std::int64_t bytes) {
  context_.progress.bytes_done += static_cast<std::uint64_t>(bytes);
}

}  // namespace canary::tuf

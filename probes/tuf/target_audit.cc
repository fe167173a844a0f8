// SPDX-License-Identifier: Apache-2.0
// Lanes that take one target after another until there is none.
// Thread: loop.
#include "probes/tuf/target_audit.h"

#include <algorithm>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "probes/tuf/findings.h"
#include "runtime/event.h"
#include "runtime/task_group.h"

namespace canary::tuf {

using probes::Severity;
using Kind = config::TargetSelection::Kind;

TargetAudit::TargetAudit(config::TufSpec const& spec, probes::ProbeContext const& context,
                         http::Client& client, Refresh& refresh)
    : spec_(spec),
      context_(context),
      client_(client),
      refresh_(refresh),
      base_(spec.targets_url ? *spec.targets_url : default_targets_url(spec.metadata_url)) {}

runtime::Task<void> TargetAudit::run(std::vector<std::string> roles, runtime::Trace trace) {
  if (spec_.targets.kind == Kind::none) co_return;
  runtime::Frame const frame{trace, "tuf.targets_audit"};
  if (spec_.targets.kind == Kind::names) {
    co_await find_named(frame.trace());
  } else {
    plan_ = std::make_unique<TargetPlan>(refresh_.shared(), std::move(roles));
    context_.progress.targets_total = plan_->entries();
    context_.progress.bytes_total = plan_->bytes();
  }
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  for (int i = 0; i < std::max(1, spec_.parallel_targets); ++i) group.start(lane(frame.trace()));
  co_await group.join(frame.trace());
  conclude();
}

// As a client would: the search decides which role speaks for a path.
runtime::Task<void> TargetAudit::find_named(runtime::Trace trace) {
  names_ = spec_.targets.names;
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  std::uint64_t bytes = 0;
  for (std::string const& name : names_) {
    auto const found = co_await refresh_.find(name, trace);
    if (!found) {
      failed({name, found.error().why});
      continue;
    }
    named_.push_back({{}, name, found.value().file});
    bytes += found.value().file.length;
  }
  context_.progress.targets_total = named_.size();
  context_.progress.bytes_total = bytes;
}

runtime::Task<std::optional<PlannedTarget>> TargetAudit::next(runtime::Trace trace) {
  if (plan_ == nullptr) {
    if (next_named_ == named_.size()) co_return std::nullopt;
    co_return named_[next_named_++];
  }
  while (!plan_->done()) {
    std::optional<PlannedTarget> target = plan_->next();
    if (target) co_return target;
    co_await runtime::sleep_until(trace, "targets.yield", runtime::Deadline::after({}));
  }
  co_return std::nullopt;
}

runtime::Task<void> TargetAudit::lane(runtime::Trace trace) {
  while (true) {
    std::optional<PlannedTarget> target = co_await next(trace);
    if (!target) co_return;
    co_await verify(*target, trace);
    ++context_.progress.targets_done;
  }
}

runtime::Task<void> TargetAudit::verify(PlannedTarget target, runtime::Trace trace) {
  std::string path{target.path};
  if (target.file.length > spec_.max_target_bytes) {
    ++context_.report.measurements.targets_unknown;
    add({.check = std::string(kTargets),
         .subject = std::move(path),
         .severity = Severity::unknown,
         .reason = probes::Reason::size_limit,
         .message = "not fetched: " + config::size_text(target.file.length) +
                    " are listed, above the probe's limit",
         .evidence = "max_target_bytes " + std::to_string(spec_.max_target_bytes)});
    co_return;
  }
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
  ++context_.report.measurements.targets_verified;
  verified_bytes_ += target.file.length;
  if (fetched.value().hash_before_folder) {
    add({.check = std::string(kTargets),
         .subject = path,
         .severity = Severity::warning,
         .reason = probes::Reason::target_missing,
         .message = "verified, but it is only where some clients look: the hash stands before the "
                    "folder instead of the file's name",
         .evidence = fetched.value().url.text()});
  } else if (spec_.targets.kind == Kind::names) {
    add(ok_finding(kTargets, path, "verified, " + config::size_text(target.file.length)));
  }
}

void TargetAudit::failed(RefreshFailure const& failure) {
  probes::Finding finding = finding_of(failure, Stage::target);
  // A failing role on the way to the target names itself in the message.
  std::string const& path = failure.role;
  if (finding.subject != path) {
    finding.message = finding.subject + ": " + finding.message;
    finding.subject = path;
  }
  finding.check = kTargets;
  auto& measured = context_.report.measurements;
  ++(finding.severity == Severity::unknown ? measured.targets_unknown : measured.targets_failed);
  add(std::move(finding));
}

void TargetAudit::conclude() {
  auto const& measured = context_.report.measurements;
  if (plan_ != nullptr && plan_->unreachable() > 0) {
    add({.check = std::string(kDelegations),
         .subject = plan_->first_unreachable(),
         .severity = Severity::warning,
         .reason = probes::Reason::target_missing,
         .message = count(plan_->unreachable(), "listed target") +
                    " that no client's search can reach, this one among them",
         .evidence = "tuf 5.6.7"});
  }
  if (plan_ != nullptr && plan_->unresolved() > 0) {
    add({.check = std::string(kTargets),
         .subject = "",
         .severity = Severity::unknown,
         .reason = probes::Reason::metadata_missing,
         .message = count(plan_->unresolved(), "target") +
                    " not looked at: the search for them needs a role that could not be verified",
         .evidence = "tuf 5.6.7"});
  }
  if (measured.targets_failed > 0 || measured.targets_unknown > 0) return;
  if (spec_.targets.kind != Kind::all) return;
  add(ok_finding(kTargets, "",
                 count(measured.targets_verified, "target") + " verified, " +
                     config::size_text(verified_bytes_)));
}

void TargetAudit::add(std::int64_t bytes) {
  context_.progress.bytes_done += static_cast<std::uint64_t>(bytes);
}

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Downloads the targets that a probe is to verify, several at once, and reports every failure.
// Thread: loop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/collector.h"
#include "probes/probe.h"
#include "probes/tuf/declaration.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/spec.h"
#include "probes/tuf/targets.h"
#include "runtime/event.h"
#include "runtime/task.h"

namespace canary::tuf {

// Lives in the frame of the coroutine that awaits run(), as does all it refers to.
class TargetAudit final : private ByteCounter {
 public:
  TargetAudit(Spec const& spec, probes::ProbeContext const& context, fetch::Client& client,
              Refresh& refresh);
  ~TargetAudit();
  TargetAudit(TargetAudit const&) = delete;
  TargetAudit& operator=(TargetAudit const&) = delete;

  // Where the spec names targets: searches for them as a client does, and loads the roles that a
  // client visits. Called once, before run(), which does it itself otherwise.
  runtime::Task<void> search(runtime::Trace trace);
  // `roles` are the accepted targets roles, "targets" first. Does nothing where the spec wants no
  // targets verified. REQUIRES: with `targets: all`, every delegation has been tried.
  runtime::Task<void> run(std::vector<std::string> roles, runtime::Trace trace);

 private:
  runtime::Task<void> make_plan(std::vector<std::string> roles, runtime::Trace trace);
  runtime::Task<void> queue_planned(runtime::Trace trace);
  runtime::Task<void> verify_queued(runtime::Event& queued, runtime::Trace trace);
  runtime::Task<std::optional<PlannedTarget>> next(runtime::Event& queued, runtime::Trace trace);
  runtime::Task<void> verify(PlannedTarget target, runtime::Trace trace);
  void wake_verifiers();
  void verified();
  void failed(RefreshFailure const& failure);
  void report(RefreshFailure const& failure, std::uint64_t times);
  // A name for which clients ask differently.
  void look_at_name(PlannedTarget const& target);
  void conclude();
  void conclude_refused();
  void conclude_budget();
  void add(std::int64_t bytes) override;
  void count_targets(std::string_view outcome, std::uint64_t number) {
    context_.report.measurements.sample(kTargetCount, outcome) += static_cast<double>(number);
  }
  void add(probes::Finding finding) { context_.findings->add(std::move(finding)); }

  Spec const& spec_;
  probes::ProbeContext const& context_;
  fetch::Client& client_;
  Refresh& refresh_;
  config::Url base_;
  std::shared_ptr<TargetPlan> plan_;  // of all targets
  std::vector<std::string> names_;    // of those that were asked for: what queue_ points to
  std::deque<PlannedTarget> queue_;
  bool searched_ = false;
  bool all_queued_ = false;
  std::optional<runtime::Event> room_;  // in queue_
  std::vector<std::unique_ptr<runtime::Event>>
      verifiers_;  // there is something in queue_, or all is
  std::uint64_t verified_bytes_ = 0;
  // Targets that were answered with 403 before any file was served from there.
  bool served_ = false;
  std::vector<RefreshFailure> refused_;
  std::uint64_t refused_count_ = 0;
  std::uint64_t odd_names_ = 0;
};

}  // namespace canary::tuf

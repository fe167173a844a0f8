// SPDX-License-Identifier: Apache-2.0
// Downloads the targets that a probe is to verify, several at once, and reports every failure.
// Thread: loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/probe_spec.h"
#include "probes/collector.h"
#include "probes/probe.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/targets.h"
#include "runtime/task.h"

namespace canary::tuf {

// Lives in the frame of the coroutine that awaits run(), as does all it refers to.
class TargetAudit final : private ByteCounter {
 public:
  TargetAudit(config::TufSpec const& spec, probes::ProbeContext const& context,
              http::Client& client, Refresh& refresh);

  // `roles` are the accepted targets roles, "targets" first. Does nothing where the spec wants no
  // targets verified. REQUIRES: every delegation has been tried.
  runtime::Task<void> run(std::vector<std::string> roles, runtime::Trace trace);

 private:
  runtime::Task<void> find_named(runtime::Trace trace);
  runtime::Task<void> lane(runtime::Trace trace);
  runtime::Task<std::optional<PlannedTarget>> next(runtime::Trace trace);
  runtime::Task<void> verify(PlannedTarget target, runtime::Trace trace);
  void failed(RefreshFailure const& failure);
  void conclude();
  void add(std::int64_t bytes) override;
  void add(probes::Finding finding) { context_.findings->add(std::move(finding)); }

  config::TufSpec const& spec_;
  probes::ProbeContext const& context_;
  http::Client& client_;
  Refresh& refresh_;
  config::Url base_;
  std::unique_ptr<TargetPlan> plan_;  // of all targets; or
  std::vector<PlannedTarget> named_;  // those that were asked for
  std::vector<std::string> names_;    // what named_ points to
  std::size_t next_named_ = 0;
  std::uint64_t verified_bytes_ = 0;
};

}  // namespace canary::tuf

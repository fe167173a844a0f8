// SPDX-License-Identifier: Apache-2.0
// What a probe of a kind runs on in a test: a loop, workers and files of its own.
// Thread: the test's; the probe runs on the fixture's loop.
#pragma once

#include <any>
#include <chrono>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "config/probe_spec.h"
#include "probes/fetch/services.h"
#include "probes/probe.h"
#include "runtime/block_on.h"
#include "tests/runtime/running_loop.h"

namespace canary::probes {

// Of the kind whose Spec it is.
template <class Spec>
class ProbeFixture : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds kTimeout{60};  // far more than a run needs

  Report run(Spec const& spec, std::chrono::milliseconds timeout = kTimeout) {
    Report report;
    loop_.block_on(start(spec, report, timeout));
    return report;
  }
  // Likewise, for who waits beside something else. `report` outlives the task.
  runtime::Task<void> start(Spec const& spec, Report& report,
                            std::chrono::milliseconds timeout = kTimeout) {
    config::ProbeSpec whole{.name = {"p"}, .repository = "p", .http = settings_, .kind = spec};
    ProbeContext const context{.http = services_,
                               .cpu = cpu_,
                               .disk = disk_,
                               .state_directory = "",
                               .now = now_,
                               .deadline = runtime::Deadline::after(timeout),
                               .trace = {},
                               .report = report,
                               .progress = progress_,
                               .memory = memory_};
    return run_probe(std::move(whole), context);
  }
  // The worst finding; one that says so where all are ok.
  static Finding bad(Report const& report) {
    Finding const* const worst = report.worst();
    return worst == nullptr ? Finding{.message = "all is well"} : *worst;
  }

  config::HttpSettings settings_;
  runtime::RunningLoop loop_;
  runtime::Workers cpu_{"cpu", 1};
  runtime::Workers disk_{"disk", 1};
  runtime::FileThreads files_;
  fetch::Services services_{cpu_, files_};
  Progress progress_;
  // Of every run. Certificates that a test makes are valid from now on, not from a fixed day.
  std::chrono::sys_seconds now_ =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::shared_ptr<std::any> memory_ = std::make_shared<std::any>();  // kept between runs
};

}  // namespace canary::probes

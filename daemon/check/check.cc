// SPDX-License-Identifier: Apache-2.0
#include "daemon/check/check.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "probes/http/services.h"
#include "runtime/block_on.h"
#include "runtime/loop.h"
#include "runtime/task_group.h"
#include "runtime/workers.h"

namespace canary::daemon {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Severity;
using runtime::Clock;
using runtime::Deadline;
using runtime::Task;

constexpr std::size_t kSideBySide = 8;

Finding cut_short(Reason reason, std::string message, probes::Report const& report) {
  return {.check = "run",
          .subject = report.step_url,
          .severity = Severity::unknown,
          .reason = reason,
          .message = std::move(message) + report.stood_at(),
          .evidence = ""};
}

std::size_t worker_count(std::size_t wanted) {
  if (wanted > 0) return wanted;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
}

// What the coroutines use and write; main reads the reports once the loop has stopped.
struct World {
  World(CheckRequest wanted, CheckProgress& shown)
      : request(std::move(wanted)),
        progress(shown),
        cpu("cpu", worker_count(request.workers)),
        disk("disk", 1, runtime::ThreadRecord::disk),
        http(cpu, disk) {
    for (auto const& spec : request.probes) checked.push_back({.spec = spec});
  }

  CheckRequest request;
  CheckProgress& progress;
  std::vector<CheckedProbe> checked;
  runtime::Loop loop;
  runtime::Workers cpu, disk;
  http::Services http;
};

Task<void> run_one(World& world, std::size_t index) {
  CheckedProbe& checked = world.checked[index];
  config::ProbeSpec const spec = checked.spec;
  auto const began = Clock::now();
  auto const deadline = Deadline::after(spec.timeout, began);
  runtime::RunTrace const row{spec.name.text, deadline};
  probes::ProbeContext context{
      .http = world.http,
      .cpu = world.cpu,
      .disk = world.disk,
      .state_directory = {},
      .now = world.request.at.value_or(
          std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())),
      .deadline = deadline,
      .trace = row.trace(),
      .report = checked.report,
      .progress = world.progress.of(index)};
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  std::string failure;
  bool in_time = true;
  try {
    group.start(probes::run_probe(spec, context));
    in_time = co_await group.join_until(deadline, row.trace());
  } catch (std::exception const& thrown) {
    if (runtime::is_cancellation(std::current_exception())) throw;  // main concludes
    failure = thrown.what();
  }
  checked.duration = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  if (!in_time) {
    checked.report.findings.push_back(
        cut_short(Reason::timeout,
                  "the check did not end within its timeout of " + config::to_text(spec.timeout) +
                      "; --timeout, or the probe's own, gives it longer",
                  checked.report));
  } else if (!failure.empty()) {
    checked.report.findings.push_back(
        cut_short(Reason::internal, "canaryd failed: " + failure, checked.report));
  }
  checked.complete = true;
}

Task<void> run_all(World& world) {
  runtime::RunTrace const row{"check", Deadline::never()};
  runtime::TaskGroup group{co_await runtime::asio::this_coro::executor};
  for (std::size_t i = 0; i < world.checked.size(); ++i) {
    co_await group.until_fewer_than(kSideBySide, row.trace());
    group.start(run_one(world, i));
  }
  co_await group.join(row.trace());
}

}  // namespace

CheckProgress::Sum CheckProgress::sum() const {
  Sum sum;
  for (auto const& probe : probes_) {
    sum.bytes_done += probe.bytes_done.load(std::memory_order_relaxed);
    sum.bytes_total += probe.bytes_total.load(std::memory_order_relaxed);
    sum.targets_done += probe.targets_done.load(std::memory_order_relaxed);
    sum.targets_total += probe.targets_total.load(std::memory_order_relaxed);
  }
  return sum;
}

std::vector<CheckedProbe> check(CheckRequest request, CheckProgress& progress,
                                std::stop_token stop) {
  auto world = std::make_unique<World>(std::move(request), progress);
  bool unwound = true;
  world->loop.start();
  try {
    runtime::block_on(world->loop, run_all(*world), Deadline::never(), std::move(stop));
  } catch (runtime::Interrupted const& interrupted) {
    unwound = interrupted.unwound;  // what was known by then is in the reports
  }
  world->loop.stop();
  world->loop.join();
  for (auto& checked : world->checked) {
    if (checked.complete) continue;
    checked.report.findings.push_back(cut_short(
        Reason::cancelled, "interrupted: the rest of this report is what was known by then",
        checked.report));
  }
  auto checked = std::move(world->checked);
  // Coroutines that did not unwind still refer to it; the process ends soon.
  if (!unwound) (void)world.release();
  return checked;
}

int exit_code(std::vector<CheckedProbe> const& checked) {
  Severity worst = Severity::ok;
  for (auto const& each : checked) worst = probes::worse(worst, each.report.severity());
  switch (worst) {
    case Severity::ok:
      return 0;
    case Severity::warning:
      return 1;
    case Severity::critical:
      return 2;
    case Severity::unknown:
      return 3;
  }
  return 3;
}

}  // namespace canary::daemon

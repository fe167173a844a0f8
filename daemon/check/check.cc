// SPDX-License-Identifier: Apache-2.0
#include "daemon/check/check.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "config/harmless.h"
#include "probes/fetch/services.h"
#include "runtime/aside.h"
#include "runtime/block_on.h"
#include "runtime/loop.h"
#include "runtime/task_group.h"
#include "runtime/where.h"
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
constexpr std::chrono::milliseconds kLook{200};
constexpr std::chrono::milliseconds kUnwinds{1'000};  // what was told to end; see block_on
constexpr std::chrono::milliseconds kEnds{300};       // threads, once nothing is left to do

// `stood`: where its run stood, by the tables; empty where that is not known.
Finding cut_short(Reason reason, std::string message, probes::Report const& report,
                  std::string const& stood) {
  return {.check = "run",
          .subject = report.step_url,
          .severity = Severity::unknown,
          .reason = reason,
          .message = std::move(message) + report.stood_at() +
                     (stood.empty() ? "" : "; it stood in " + stood),
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
        http(cpu, files) {
    for (auto const& spec : request.probes) checked.push_back({.spec = spec});
    timed_out.assign(checked.size(), 0);
  }
  World(World const&) = delete;
  World& operator=(World const&) = delete;

  CheckRequest request;
  CheckProgress& progress;
  std::vector<CheckedProbe> checked;
  std::vector<char> timed_out;  // by the probe's own timeout
  runtime::Loop loop;
  runtime::Workers cpu, disk;
  runtime::FileThreads files;
  fetch::Services http;
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
  world.timed_out[index] = in_time ? 0 : 1;
  if (in_time && !failure.empty()) {
    checked.report.findings.push_back(
        cut_short(Reason::internal, "canaryd failed: " + failure, checked.report, {}));
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

// All of them, kSideBySide at a time, each up to its own timeout.
std::chrono::milliseconds longest(std::vector<config::ProbeSpec> const& probes) {
  std::chrono::milliseconds sum{0}, most{0};
  for (auto const& probe : probes) {
    sum += probe.timeout;
    most = std::max(most, probe.timeout);
  }
  return sum / kSideBySide + most + kUnwinds;
}

// Where each run was seen to stand, for what is told of it once it is gone.
class Standings {
 public:
  explicit Standings(std::vector<config::ProbeSpec> const& probes) {
    for (auto const& probe : probes) names_.push_back(probe.name.text);
    seen_.resize(names_.size());
  }
  void look() {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (auto where = runtime::where_it_stands(names_[i]); !where.empty()) {
        seen_[i] = std::move(where);
      }
    }
  }
  std::string const& of(std::size_t probe) const { return seen_[probe]; }

 private:
  std::vector<std::string> names_, seen_;
};

// The loop stands still and may be writing the reports: nothing of them is read.
std::vector<CheckedProbe> unread(std::vector<config::ProbeSpec> const& probes) {
  std::vector<CheckedProbe> checked;
  checked.reserve(probes.size());
  for (auto const& spec : probes) checked.push_back({.spec = spec});
  return checked;
}

// Says of each probe that did not come to its end why not, and where it stood.
void conclude(std::vector<CheckedProbe>& checked, std::vector<char> const& timed_out,
              Standings const& stood, bool interrupted) {
  for (std::size_t i = 0; i < checked.size(); ++i) {
    auto& each = checked[i];
    if (timed_out[i] != 0) {
      each.report.findings.push_back(cut_short(
          Reason::timeout,
          "the check did not end within its timeout of " + config::to_text(each.spec.timeout) +
              "; --timeout, or the probe's own, gives it longer",
          each.report, stood.of(i)));
    } else if (!each.complete && interrupted) {
      each.report.findings.push_back(cut_short(
          Reason::cancelled, "interrupted: the rest of this report is what was known by then",
          each.report, stood.of(i)));
    } else if (!each.complete) {
      each.report.findings.push_back(cut_short(
          Reason::timeout, "the check did not end within its time, and was left as it stood",
          each.report, stood.of(i)));
    }
  }
}

// Runs all of it; false where something did not unwind, and may go on using `world`.
bool run_to_the_end(World& world, std::chrono::milliseconds limit, std::stop_token const& stop) {
  try {
    runtime::block_on(world.loop, run_all(world), Deadline::after(limit), stop);
  } catch (runtime::GaveUp const& gave_up) {
    return gave_up.unwound;  // what was known by then is in the reports
  }
  return true;
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
  auto const began = Clock::now();
  auto const limit = longest(request.probes);
  auto world = std::make_shared<World>(std::move(request), progress);
  auto const probes = world->request.probes;
  Standings stood{probes};
  world->loop.start();
  // Main never waits for the loop, or for a thread, for longer than it wants.
  std::stop_source cut;  // requested once it was seen where they stand
  runtime::Aside<bool> run{"check", [world, limit, told = cut.get_token()] {
                             return run_to_the_end(*world, limit, told);
                           }};
  auto const last = Deadline::after(limit + 2 * kUnwinds);
  while (!run.wait(std::min(Deadline::after(kLook), last), stop) && !stop.stop_requested() &&
         !last.passed()) {
    stood.look();
  }
  if (!run.ended()) stood.look();
  cut.request_stop();
  bool const unwound = run.wait(Deadline::after(kUnwinds + kEnds)) && run.take();
  runtime::Aside<bool> end{"check", [world] {
                             world->loop.stop();
                             world->loop.join();
                             return true;
                           }};
  bool const ended = end.wait(Deadline::after(kEnds));
  auto checked = ended ? std::move(world->checked) : unread(probes);
  auto const timed_out = ended ? world->timed_out : std::vector<char>(checked.size(), 0);
  auto const lasted = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  for (auto& each : checked) {
    if (!each.complete) each.duration = lasted;
  }
  conclude(checked, timed_out, stood, stop.stop_requested());
  if (!ended || !unwound) {
    static std::shared_ptr<World> const* const kept = new std::shared_ptr<World>{world};
    (void)kept;  // coroutines that did not unwind refer to it; the process ends soon
    return checked;
  }
  runtime::Aside<bool> gone{"check", [last = std::move(world)]() mutable {
                              last.reset();
                              return true;
                            }};
  gone.wait(Deadline::after(kEnds));  // a thread of it may stand still in a file
  return checked;
}

std::string shown_name(CheckedProbe const& checked) {
  constexpr std::size_t kMost = 512;
  return make_harmless(checked.spec.name.text, kMost);
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

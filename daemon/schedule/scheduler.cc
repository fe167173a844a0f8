// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/scheduler.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "daemon/schedule/tell.h"
#include "runtime/contract.h"
#include "runtime/crash.h"
#include "runtime/held.h"

namespace canary::daemon {
namespace {

using runtime::Clock;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

constexpr int kSetAsideAtMost = 3;
constexpr std::size_t kMostDue =
    100;  // in one handler: a machine that wakes up has all due at once
constexpr std::chrono::nanoseconds kLeastSleep = std::chrono::seconds{1};

SysTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

AdmissionLimits limits_of(config::SchedulerSettings const& settings) {
  return {static_cast<std::size_t>(settings.max_concurrent_runs),
          static_cast<std::size_t>(settings.max_concurrent_runs_per_host)};
}

probes::Finding timed_out(config::ProbeSpec const& spec, probes::Report const& report) {
  return {.check = "run",
          .subject = report.step_url,
          .severity = probes::Severity::unknown,
          .reason = probes::Reason::timeout,
          .message = "the run did not end within its timeout of " + config::to_text(spec.timeout) +
                     report.stood_at(),
          .evidence = ""};
}

probes::Finding stalled(std::chrono::nanoseconds after, probes::Report const& report) {
  auto const span = std::chrono::duration_cast<std::chrono::milliseconds>(after);
  return {.check = "run",
          .subject = report.step_url,
          .severity = probes::Severity::unknown,
          .reason = probes::Reason::stalled,
          .message = "the watchdog cancelled the run after " + config::to_text(span) +
                     ": it made no progress" + report.stood_at(),
          .evidence = ""};
}

// What the watchdog holds the scheduler to: it looks again before this.
void promise(std::optional<TimePoint> next, TimePoint now) {
  auto& record = runtime::tables()->scheduler();
  record.next_due_ns.store(
      next ? next->time_since_epoch().count() : std::numeric_limits<std::int64_t>::max(),
      std::memory_order_relaxed);
  record.passes.fetch_add(1, std::memory_order_relaxed);
  record.last_pass_ns.store(now.time_since_epoch().count(), std::memory_order_release);
}

void tell_ended(std::vector<Scheduler::RunEnded> const& asked, bool with_report) {
  for (auto const& ended : asked) ended(with_report);
}

probes::Finding defect(std::string what) {
  constexpr std::string_view kNoMemory = "std::bad_alloc";  // as it calls itself
  if (what == kNoMemory) what = "it had no memory: nothing is known of the repository";
  return {.check = "run",
          .subject = "",
          .severity = probes::Severity::unknown,
          .reason = probes::Reason::internal,
          .message = "canaryd itself failed during the run",
          .evidence = std::move(what)};
}

}  // namespace

// What a run needs beside its coroutine: so that a reload can end it.
struct Scheduler::Run {
  explicit Run(runtime::Executor const& executor) : group(executor) {}
  runtime::TaskGroup group;
  probes::Report report;
  bool withdrawn = false;            // its probe is gone or changed: nothing is concluded from it
  bool stalled = false;              // cancelled by the watchdog
  bool outdated = false;             // see begin_anew()
  std::vector<RunEnded> asked;       // who asked for it
  runtime::RunTrace* row = nullptr;  // while it runs

  void end() {
    if (row != nullptr) row->cancelling();
    group.request_stop();
  }
};

Scheduler::Scheduler(runtime::Executor executor, config::SchedulerSettings settings,
                     RunProbe run_probe, ResultStore& results, Log& log)
    : executor_(executor),
      settings_(settings),
      run_probe_(std::move(run_probe)),
      results_(results),
      log_(log),
      schedule_(settings.start_spread),
      admission_(limits_of(settings)),
      changed_(executor),
      held_(runtime::loop_held),
      slept_(runtime::machine_slept()),
      tasks_(executor) {}

void Scheduler::set(config::SchedulerSettings settings) {
  runtime::require_loop_thread();
  settings_ = settings;
  admission_.set_limits(limits_of(settings));
  changed_.notify();
}

void Scheduler::put(std::shared_ptr<config::ProbeSpec const> spec) {
  runtime::require_loop_thread();
  auto const known = probes_.find(spec->name.text);
  if (known != probes_.end() && *known->second.spec == *spec) return;
  std::string const name = spec->name.text;
  auto const interval = spec->interval;
  std::string host = spec->kind.host();
  if (known != probes_.end()) withdraw(name);
  probes_.insert_or_assign(name, Probe{std::move(spec), std::move(host)});
  auto const now = Clock::now();
  schedule_.set(name, interval, now);
  publish_next(name, now);
  changed_.notify();
}

void Scheduler::drop(std::string const& name) {
  runtime::require_loop_thread();
  if (probes_.erase(name) > 0) withdraw(name);
}

std::vector<std::string> Scheduler::names() const {
  std::vector<std::string> all;
  all.reserve(probes_.size());
  for (auto const& [name, probe] : probes_) all.push_back(name);
  return all;
}

// The probe is gone or changed: what is under way is ended, and nothing is concluded from it.
void Scheduler::withdraw(std::string const& name) {
  schedule_.remove(name);
  admission_.withdraw(name);
  if (auto asked = asked_.extract(name)) tell_ended(asked.mapped(), false);
  auto const run = runs_.find(name);
  if (run == runs_.end()) return;
  run->second->withdrawn = true;
  run->second->end();
}

runtime::Task<bool> Scheduler::run() {
  runtime::require_loop_thread();
  runtime::RunTrace const run{"scheduler", Deadline::never(), runtime::RunRecord::service};
  while (!stopping_) {
    co_await count_what_was_slept_through(run.trace());
    auto const now = Clock::now();
    start_what_is_due(now);
    auto const next = schedule_.next();
    promise(next, now);
    co_await changed_.wait_until(run.trace(), "schedule.next",
                                 next ? Deadline::at(*next) : Deadline::never());
  }
  promise(std::nullopt, Clock::now());
  tell_all_who_wait();
  for (auto const& [name, active] : runs_) active->end();
  auto const limit = Deadline::after(settings_.stop_timeout);
  while (tasks_.running() > 0 && !limit.passed()) {
    co_await changed_.wait_until(run.trace(), "schedule.stop", limit);
  }
  for (auto const& [name, active] : runs_) {
    log_.error("a run did not end when it was asked to", {{"probe", name}});
  }
  co_return tasks_.running() == 0;
}

void Scheduler::request_stop() {
  runtime::require_loop_thread();
  stopping_ = true;
  changed_.notify();
}

bool Scheduler::cancel(std::uint16_t run, std::uint32_t generation) {
  runtime::require_loop_thread();
  for (auto const& [name, active] : runs_) {
    auto const* const row = active->row;
    if (row == nullptr || row->index() != run || row->generation() != generation) continue;
    // Counted now, and once: a run may never unwind, and is asked again meanwhile.
    if (!std::exchange(active->stalled, true)) results_.stalled(name);
    active->end();
    return true;
  }
  return false;
}

Scheduler::RunNow Scheduler::run_now(std::string const& probe, RunEnded ended) {
  runtime::require_loop_thread();
  auto const known = probes_.find(probe);
  if (stopping_) return RunNow::stopping;
  if (known == probes_.end()) return RunNow::unknown;
  if (quarantined_ && quarantined_(probe)) return RunNow::quarantined;
  asked_[probe].push_back(std::move(ended));
  auto const now = Clock::now();
  // Where a run goes on, it is offered once that has ended; where one waits for its turn, that is
  // it.
  admission_.offer({.probe = probe, .at = now}, known->second.host);
  start_admitted(now);
  return RunNow::taken;
}

void Scheduler::begin_anew(std::string_view probe) {
  runtime::require_loop_thread();
  auto const run = runs_.find(probe);
  if (run == runs_.end()) return;
  run->second->outdated = true;
  run->second->end();
}

// After a run, before the next one of the probe.
void Scheduler::tell_who_asked(std::string const& name, Run& run, bool again) {
  auto const told = std::exchange(run.asked, {});
  if (again && !told.empty()) {
    auto& waiting = asked_[name];
    waiting.insert(waiting.begin(), told.begin(), told.end());
  } else {
    tell_ended(told, !run.withdrawn && !stopping_);
  }
}

void Scheduler::tell_all_who_wait() {
  for (auto const& [name, asked] : std::exchange(asked_, {})) tell_ended(asked, false);
}

void Scheduler::set_quarantine(std::function<bool(std::string_view)> quarantined) {
  quarantined_ = std::move(quarantined);
}

void Scheduler::set_ended(std::function<void(Changes const&)> ended) { ended_ = std::move(ended); }

void Scheduler::set_skipped(Skipped skipped) { skipped_ = std::move(skipped); }

void Scheduler::skip(std::string_view probe, SkipReason reason, std::uint64_t count) {
  results_.skipped(probe, reason, count);
  if (skipped_ && count > 0) skipped_(probe, reason, count);
}

void Scheduler::set_held(std::function<std::chrono::nanoseconds()> held) {
  held_ = std::move(held);
}

// The clock of the schedule stands still while the machine sleeps: what would have been due then is
// counted from how long that was.
Task<void> Scheduler::count_what_was_slept_through(Trace trace) {
  auto const slept = runtime::machine_slept();
  auto const span = slept - std::exchange(slept_, slept);
  if (span < kLeastSleep) co_return;
  std::vector<std::pair<std::string, std::uint64_t>> all;
  for (auto const& [name, probe] : probes_) {
    auto const missed = static_cast<std::uint64_t>(span / probe.spec->interval);
    if (missed > 0) all.emplace_back(name, missed);
  }
  runtime::Turn turn;
  for (auto const& [name, missed] : all) {
    skip(name, SkipReason::offline, missed);
    if (turn.over()) co_await turn.pass(trace);
  }
}

void Scheduler::start_what_is_due(TimePoint now) {
  for (auto& due : schedule_.take_due(now, kMostDue)) {
    std::string const name = due.probe;
    skip(name, SkipReason::offline, due.missed);
    if (quarantined_ && quarantined_(name)) {
      skip(name, SkipReason::paused, 1);
      publish_next(name, now);
      continue;
    }
    switch (admission_.offer(std::move(due), probes_.find(name)->second.host)) {
      case Admission::Verdict::queued:
        break;
      case Admission::Verdict::overlap:
        skip(name, SkipReason::overlap, 1);
        break;
      case Admission::Verdict::concurrency:
        skip(name, SkipReason::concurrency, 1);
        break;
    }
    publish_next(name, now);
  }
  start_admitted(now);
}

void Scheduler::start_admitted(TimePoint now) {
  if (stopping_) return;
  while (auto const admitted = admission_.admit()) {
    std::string const& name = admitted->due.probe;
    auto const run = std::make_shared<Run>(executor_);
    if (auto asked = asked_.extract(name)) run->asked = std::move(asked.mapped());
    runs_[name] = run;
    results_.started(name, wall_now(), now - admitted->due.at);
    tasks_.start(run_one(probes_.find(name)->second.spec, run));
  }
}

// What is thrown here would be lost, and the probe's slot with it: never run again, and nobody
// told.
runtime::Task<void> Scheduler::run_one(std::shared_ptr<config::ProbeSpec const> spec,
                                       std::shared_ptr<Run> run) {
  try {
    co_await run_and_conclude(spec, run);
  } catch (std::exception const& failed) {
    log_.error("a run cannot be concluded; ending the process",
               {{"probe", spec->name.text}, {"detail", failed.what()}});
    log_.flush(std::chrono::seconds{1});
    runtime::end_by_defect("a run cannot be concluded");
  }
}

runtime::Task<void> Scheduler::run_and_conclude(std::shared_ptr<config::ProbeSpec const> spec,
                                                std::shared_ptr<Run> run) {
  runtime::require_loop_thread();
  auto const began = Clock::now();
  auto const deadline = Deadline::after(spec->timeout, began);
  auto const held_before = held_() + runtime::machine_slept();
  std::string failure;
  bool in_time = true, again = false;
  {
    runtime::RunTrace row{spec->name.text, deadline};
    run->row = &row;
    try {
      run->group.start(run_probe_(*spec, deadline, row.trace(), run->report));
      in_time = co_await run->group.join_until(deadline, row.trace());
    } catch (std::exception const& thrown) {
      failure = thrown.what();
    }
    run->row = nullptr;
  }
  if (run->withdrawn || stopping_) {
    results_.abandoned(spec->name.text);
  } else if (run->outdated) {
    results_.abandoned(spec->name.text);
    again = true;
  } else {
    if (run->stalled) {
      run->report.findings.push_back(stalled(Clock::now() - began, run->report));
    } else if (!in_time) {
      run->report.findings.push_back(timed_out(*spec, run->report));
    }
    if (!failure.empty()) run->report.findings.push_back(defect(std::move(failure)));
    again = set_aside(*spec, run->report, held_() + runtime::machine_slept() - held_before);
    if (!again) conclude(*spec, std::move(run->report), Clock::now() - began);
  }
  runs_.erase(spec->name.text);
  admission_.finished(spec->name.text);
  tell_who_asked(spec->name.text, *run, again);
  if (again || asked_.contains(spec->name.text)) repeat(spec->name.text);
  changed_.notify();
  start_admitted(Clock::now());
}

// Is nothing to be concluded from a run that did not go well, because canaryd was not there for a
// part of it? Then it is repeated, a few times at most: a canaryd that is always held says what it
// sees all the same.
bool Scheduler::set_aside(config::ProbeSpec const& spec, probes::Report const& report,
                          std::chrono::nanoseconds held) {
  auto const found = probes_.find(spec.name.text);
  if (found == probes_.end()) return false;
  int& in_a_row = found->second.disturbed;
  bool const well = report.severity() <= probes::Severity::warning;
  if (well || held < runtime::kLeastAbsence || in_a_row == kSetAsideAtMost) {
    in_a_row = 0;
    return false;
  }
  ++in_a_row;
  results_.abandoned(spec.name.text);
  skip(spec.name.text, SkipReason::disturbed, 1);
  log_.warn(
      "a run says nothing of its repository, for canaryd itself was held meanwhile; repeating",
      {{"probe", spec.name.text},
       {"held", config::to_text(std::chrono::floor<std::chrono::milliseconds>(held))}});
  return true;
}

void Scheduler::repeat(std::string const& probe) {
  auto const known = probes_.find(probe);
  if (known == probes_.end()) return;
  admission_.offer({.probe = probe, .at = Clock::now()}, known->second.host);
}

void Scheduler::conclude(config::ProbeSpec const& spec, probes::Report report,
                         std::chrono::nanoseconds duration) {
  auto const changes = results_.finished(spec.name.text, wall_now(), duration, std::move(report));
  if (!changes) return;
  tell(log_, *changes);
  if (ended_) ended_(*changes);
}

void Scheduler::publish_next(std::string const& probe, TimePoint now) {
  if (auto const next = schedule_.next(probe)) {
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(*next - now);
    results_.scheduled(probe, wall_now() + left);
  }
}

}  // namespace canary::daemon

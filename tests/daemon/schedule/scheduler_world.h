// SPDX-License-Identifier: Apache-2.0
// A scheduler on a running loop, as the daemon has it, with runs that a test chooses.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "daemon/schedule/scheduler.h"
#include "probes/tuf/declaration.h"
#include "probes/tuf/spec.h"
#include "runtime/cancel_listener.h"
#include "runtime/event.h"
#include "tests/runtime/running_loop.h"

namespace canary::daemon {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Report;
using probes::Severity;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

inline config::ProbeSpec spec(std::string name) {
  auto url = config::Url::parse("http://127.0.0.1/metadata");
  return {.name = {std::move(name)},
          .repository = "repo",
          .enabled = true,
          .interval = 10ms,
          .timeout = 60s,
          .http = {},
          .kind = tuf::Spec{.metadata_url = url.value(),
                            .targets_url = {},
                            .root = {},
                            .targets = {},
                            .expiry = {},
                            .limits = {}}};
}

inline std::string const& name_of(config::ProbeSpec const& spec) { return spec.name.text; }

inline config::SchedulerSettings quick() {
  return {.max_concurrent_runs = 4,
          .max_concurrent_runs_per_host = 4,
          .start_spread = 1ms,
          .stop_timeout = 60s};
}

// A scheduler on a running loop, with a log that goes nowhere.
class World {
 public:
  explicit World(RunProbe run_probe) : run_probe_(std::move(run_probe)) {
    running_.block_on(make());
  }
  ~World() {
    if (!stopped_) stop();
    running_.block_on(end());
  }

  // As the end of the daemon does it.
  void stop() {
    stopped_ = true;
    running_.block_on(stop_scheduler());
  }

  // Runs until `enough` holds for the row of the probe.
  void run_until(std::string const& probe, std::function<bool(ProbeRow const&)> enough) {
    running_.block_on(turn(probe, std::move(enough)));
  }
  // As the watchdog does it: a flag in the run's record, and an eventfd.
  void want_cancelled(std::string const& probe) {
    for (bool found = false; !found;) {  // in flight is told before the run has its record
      for (auto& run : runtime::tables()->runs()) {
        bool const live = run.state.load() == runtime::RunRecord::running;
        if (!live || run.name.load() != probe) continue;
        run.ask_cancel.store(run.generation.load());
        found = true;
      }
    }
    std::uint64_t const one = 1;
    ASSERT_EQ(::write(cancels_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
  }
  // What the watchdog's wish leads to, without the way there.
  void cancel(std::string const& probe) { running_.block_on(cancel_run(probe)); }
  // Counts in `ended` those that ended, with a report or without.
  struct Ended {
    int with_report = 0, without = 0;
  };
  Scheduler::RunNow run_now(std::string const& probe, Ended& ended) {
    return running_.block_on(order_run(probe, ended));
  }
  void begin_anew(std::string const& probe) { running_.block_on(order_anew(probe)); }
  void turn_until(std::function<bool()> enough) { running_.block_on(wait_for(std::move(enough))); }
  void quarantine(std::string const& probe) { running_.block_on(set_quarantine(probe)); }
  // From now on the loop has been held for a minute more each time that somebody looks.
  void hold_each_run() { running_.block_on(set_held()); }
  void configure(std::vector<config::ProbeSpec> specs) { running_.block_on(apply(specs)); }
  ProbeRow row(std::string const& probe) {
    auto const reading = results_->read();
    return *reading->find(probe);
  }

 private:
  Task<void> make() {
    results_.emplace(DaemonFacts{});
    scheduler_.emplace(running_.executor(), quick(), run_probe_, *results_, log_);
    group_.emplace(running_.executor());
    group_->start(serve());
    listener_.emplace(running_.executor());
    runtime::CancelRun cancel = [this](std::uint16_t run, std::uint32_t generation) {
      scheduler_->cancel(run, generation);
    };
    listener_->start(runtime::listen_for_cancels(cancels_, std::move(cancel)));
    co_return;
  }
  Task<void> cancel_run(std::string probe) {
    auto const runs = runtime::tables()->runs();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      bool const live = runs[i].state.load() != runtime::RunRecord::free;
      if (!live || runs[i].name.load() != probe) continue;
      EXPECT_TRUE(scheduler_->cancel(static_cast<std::uint16_t>(i), runs[i].generation.load()));
    }
    co_return;
  }
  Task<Scheduler::RunNow> order_run(std::string probe, Ended& ended) {
    co_return scheduler_->run_now(
        probe, [&ended](bool with_report) { ++(with_report ? ended.with_report : ended.without); });
  }
  Task<void> order_anew(std::string probe) {
    scheduler_->begin_anew(probe);
    co_return;
  }
  Task<void> wait_for(std::function<bool()> enough) {
    while (!enough()) co_await runtime::sleep_until({}, "test.sleep", Deadline::after(1ms));
  }
  Task<void> set_quarantine(std::string probe) {
    scheduler_->set_quarantine([probe](std::string_view name) { return name == probe; });
    co_return;
  }
  Task<void> set_held() {
    scheduler_->set_held([this] { return held_ += 1min; });
    co_return;
  }
  Task<void> serve() { stopped_cleanly_ = co_await scheduler_->run(); }
  Task<void> apply(std::vector<config::ProbeSpec> specs) {
    std::vector<ProbeFacts> facts;
    for (auto const& each : specs) facts.push_back(facts_of(each, tuf::kDeclaration));
    results_->configure(std::move(facts));
    for (auto const& name : scheduler_->names()) {
      if (std::ranges::find(specs, name, name_of) == specs.end()) scheduler_->drop(name);
    }
    for (auto const& each : specs) {
      scheduler_->put(std::make_shared<config::ProbeSpec const>(each));
    }
    co_return;
  }
  Task<void> turn(std::string probe, std::function<bool(ProbeRow const&)> enough) {
    while (true) {
      {
        auto const reading = results_->read();
        if (enough(*reading->find(probe))) co_return;
      }
      co_await runtime::sleep_until({}, "test.sleep", Deadline::after(1ms));
    }
  }
  Task<void> stop_scheduler() {
    scheduler_->request_stop();
    co_await group_->join({});
    EXPECT_TRUE(stopped_cleanly_);
  }
  Task<void> end() {
    group_.reset();
    listener_->request_stop();
    co_await listener_->join({});
    listener_.reset();
    ::close(cancels_);
    scheduler_.reset();
    results_.reset();
  }

  RunProbe run_probe_;
  Log log_{{.level = config::LogLevel::error, .format = config::LogFormat::logfmt}};
  runtime::RunningLoop running_;
  std::optional<ResultStore> results_;
  std::optional<Scheduler> scheduler_;
  std::optional<runtime::TaskGroup> group_, listener_;
  int cancels_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  bool stopped_cleanly_ = false, stopped_ = false;
  std::chrono::nanoseconds held_{0};
};

}  // namespace canary::daemon

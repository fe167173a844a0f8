// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/scheduler.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>

#include "probes/tuf/declaration.h"
#include "probes/tuf/spec.h"
#include "runtime/cancel_listener.h"
#include "runtime/event.h"
#include "tests/runtime/running_loop.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Report;
using probes::Severity;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

config::ProbeSpec spec(std::string name) {
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

config::SchedulerSettings quick() {
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
    scheduler_->configure(specs, quick());
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

Task<void> healthy(config::ProbeSpec, Deadline, Trace, Report& report) {
  report.findings.push_back({.check = "reachable"});
  co_return;
}

Task<void> endless(config::ProbeSpec, Deadline, Trace trace, Report& report) {
  report.findings.push_back({.check = "reachable"});
  report.step = "fetching the timestamp";
  report.step_url = "https://example.org/timestamp.json";
  co_await runtime::sleep_until(trace, "test.forever", Deadline::never());
}

Task<void> throwing(config::ProbeSpec, Deadline, Trace, Report&) {
  throw std::runtime_error("a defect");
  co_return;
}

Task<void> without_memory(config::ProbeSpec, Deadline, Trace, Report&) {
  throw std::bad_alloc{};
  co_return;
}

// Holds the loop for longer than many intervals, as a stopped container does.
Task<void> holds_the_loop(config::ProbeSpec spec, Deadline, Trace, Report& report) {
  auto const until = runtime::Clock::now() + 40 * spec.interval;
  while (runtime::Clock::now() < until) continue;
  report.findings.push_back({.check = "reachable"});
  co_return;
}

std::uint64_t total(ProbeRow const& row) {
  std::uint64_t sum = 0;
  for (auto const& [reason, count] : row.failures) sum += count;
  return sum;
}

TEST(Scheduler, CountsTheRunsThatWereMissedWhileNothingCouldStart) {
  World world{holds_the_loop};
  auto often = spec("probe");
  often.interval = 1ms;
  world.configure({often});
  auto const offline = static_cast<std::size_t>(SkipReason::offline);
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 2; });
  EXPECT_GE(world.row("probe").skipped[offline], 35U) << "40 intervals passed during the first run";
}

// Cannot tell before its `good`th run.
Task<void> well_from(int good, int& runs, Report& report) {
  auto const severity = ++runs < good ? Severity::unknown : Severity::ok;
  report.findings.push_back({.check = "reachable", .severity = severity});
  co_return;
}

TEST(Scheduler, ConcludesNothingFromARunDuringWhichItWasHeldAndRepeatsIt) {
  int runs = 0;
  World world{[&runs](config::ProbeSpec const&, Deadline, Trace, Report& report) {
    return well_from(3, runs, report);
  }};
  world.hold_each_run();
  auto seldom = spec("probe");
  seldom.interval = std::chrono::hours{24};
  world.configure({seldom});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 1; });
  auto const row = world.row("probe");
  EXPECT_EQ(row.runs, 1U) << "the third was well";
  EXPECT_EQ(row.skipped[static_cast<std::size_t>(SkipReason::disturbed)], 2U);
  EXPECT_EQ(total(row), 0U);
}

TEST(Scheduler, SaysWhatItSeesWhereItIsAlwaysHeld) {
  int runs = 0;
  World world{[&runs](config::ProbeSpec const&, Deadline, Trace, Report& report) {
    return well_from(1'000, runs, report);
  }};
  world.hold_each_run();
  auto seldom = spec("probe");
  seldom.interval = std::chrono::hours{24};
  world.configure({seldom});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 1; });
  EXPECT_EQ(runs, 4);
  EXPECT_EQ(total(world.row("probe")), 1U);
}

TEST(Scheduler, TakesARunThatTheStopCancelledForNoResultAtAll) {
  World world{endless};
  world.configure({spec("probe")});
  world.run_until("probe", [](ProbeRow const& row) { return row.in_flight_since.has_value(); });
  world.stop();
  auto const row = world.row("probe");
  EXPECT_EQ(row.runs, 0U);
  EXPECT_EQ(total(row), 0U);
  EXPECT_EQ(row.severity, std::nullopt);
  EXPECT_EQ(row.last_report, nullptr);
  EXPECT_EQ(row.in_flight_since, std::nullopt);
}

TEST(Scheduler, RunsAProbeAgainAndAgain) {
  World world{healthy};
  world.configure({spec("probe")});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 3; });
  EXPECT_EQ(world.row("probe").severity, Severity::ok);
}

TEST(Scheduler, EndsARunAtItsTimeoutAndKeepsWhatItFound) {
  World world{endless};
  auto slow = spec("probe");
  slow.timeout = 5ms;
  world.configure({slow});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 1; });
  auto const row = world.row("probe");
  EXPECT_EQ(row.severity, Severity::unknown);
  EXPECT_EQ(row.last_failure_reason, Reason::timeout);
  EXPECT_EQ(row.last_report->findings.front().check, "reachable");
  EXPECT_EQ(row.last_report->findings.back().subject, "https://example.org/timestamp.json");
  EXPECT_EQ(row.last_report->findings.back().message,
            "the run did not end within its timeout of 5ms; it was at fetching the timestamp "
            "(https://example.org/timestamp.json)");
}

TEST(Scheduler, TurnsADefectIntoAFindingAndGoesOn) {
  World world{throwing};
  world.configure({spec("probe")});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 2; });
  EXPECT_EQ(world.row("probe").last_failure_reason, Reason::internal);
}

TEST(Scheduler, SaysThatARunHadNoMemory) {
  World world{without_memory};
  world.configure({spec("probe")});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 1; });
  auto const row = world.row("probe");
  EXPECT_EQ(row.last_failure_reason, Reason::internal);
  ASSERT_TRUE(row.last_report);
  EXPECT_THAT(row.last_report->findings.front().evidence.text(),
              testing::HasSubstr("had no memory"));
}

TEST(Scheduler, SkipsARunWhileTheLastOneGoesOn) {
  World world{endless};
  world.configure({spec("probe")});
  auto const overlap = static_cast<std::size_t>(SkipReason::overlap);
  world.run_until("probe", [=](ProbeRow const& row) { return row.skipped[overlap] >= 2; });
  EXPECT_EQ(world.row("probe").runs, 0U);
}

TEST(Scheduler, EndsARunThatTheWatchdogWantsCancelledAndSaysWhy) {
  World world{endless};
  world.configure({spec("stuck"), spec("other")});
  world.run_until("stuck", [](ProbeRow const& row) { return row.in_flight_since.has_value(); });
  world.want_cancelled("stuck");
  world.run_until("stuck", [](ProbeRow const& row) { return row.runs >= 1; });
  auto const row = world.row("stuck");
  EXPECT_EQ(row.severity, Severity::unknown);
  EXPECT_EQ(row.last_failure_reason, Reason::stalled);
  EXPECT_EQ(row.stalls, 1U);
  EXPECT_EQ(world.row("other").stalls, 0U);
  EXPECT_EQ(world.row("other").runs, 0U) << "its run goes on";
}

Task<void> ignores_cancellation(std::shared_ptr<std::atomic<bool>> let_go) {
  boost::asio::disable_cancellation const nothing_cancels;
  co_await boost::asio::this_coro::reset_cancellation_state(nothing_cancels);
  while (!*let_go) co_await runtime::sleep_until({}, "test.deaf", Deadline::after(1ms));
}

TEST(Scheduler, CountsAStalledRunOnceAndAtOnceHoweverOftenItIsAskedToEnd) {
  auto const let_go = std::make_shared<std::atomic<bool>>(false);
  RunProbe const deaf = [let_go](config::ProbeSpec, Deadline, Trace, Report&) {
    return ignores_cancellation(let_go);
  };
  World world{deaf};
  world.configure({spec("stuck")});
  world.run_until("stuck", [](ProbeRow const& row) { return row.in_flight_since.has_value(); });
  world.cancel("stuck");
  EXPECT_EQ(world.row("stuck").stalls, 1U);
  EXPECT_EQ(world.row("stuck").runs, 0U) << "it has not unwound";
  world.cancel("stuck");
  *let_go = true;
  world.run_until("stuck", [](ProbeRow const& row) { return row.runs >= 1; });
  EXPECT_EQ(world.row("stuck").stalls, 1U);
}

TEST(Scheduler, DoesNotRunAQuarantinedProbe) {
  World world{healthy};
  world.quarantine("bad");
  world.configure({spec("bad"), spec("good")});
  auto const paused = static_cast<std::size_t>(SkipReason::paused);
  world.run_until("bad", [=](ProbeRow const& row) { return row.skipped[paused] >= 2; });
  world.run_until("good", [](ProbeRow const& row) { return row.runs >= 1; });
  EXPECT_EQ(world.row("bad").runs, 0U);
}

TEST(Scheduler, PromisesTheWatchdogWhenItLooksAgain) {
  World world{healthy};
  world.configure({spec("probe")});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs >= 2; });
  auto const& promised = runtime::tables()->scheduler();
  EXPECT_GT(promised.passes.load(), 1U);
  EXPECT_GT(promised.next_due_ns.load(), 0);
  EXPECT_GT(promised.last_pass_ns.load(), 0);
}

config::ProbeSpec seldom(std::string name) {
  auto probe = spec(std::move(name));
  probe.interval = std::chrono::hours{24};
  return probe;
}

// Runs stand still until they are let go, one after the other.
struct Gate {
  int begun = 0, let_through = 0;
  RunProbe run() {
    return [this](config::ProbeSpec, Deadline, Trace trace, Report& report) {
      return pass(*this, trace, report);
    };
  }
  static Task<void> pass(Gate& gate, Trace trace, Report& report) {
    int const mine = ++gate.begun;
    while (gate.let_through < mine) {
      co_await runtime::sleep_until(trace, "test.gate", Deadline::after(1ms));
    }
    report.findings.push_back({.check = "run " + std::to_string(mine)});
  }
};

TEST(Scheduler, RunsAProbeBesidesItsSchedule) {
  World world{healthy};
  world.configure({seldom("probe")});
  world.run_until("probe", [](ProbeRow const& row) { return row.runs == 1; });
  auto const next = world.row("probe").next_run;
  World::Ended ended;
  EXPECT_EQ(world.run_now("probe", ended), Scheduler::RunNow::taken);
  world.turn_until([&ended] { return ended.with_report == 1; });
  EXPECT_EQ(world.row("probe").runs, 2U);
  EXPECT_EQ(world.row("probe").next_run, next);
  EXPECT_EQ(world.run_now("other", ended), Scheduler::RunNow::unknown);
  world.quarantine("probe");
  EXPECT_EQ(world.run_now("probe", ended), Scheduler::RunNow::quarantined);
}

TEST(Scheduler, RunsWhatIsAskedForAfterTheRunThatGoesOnAndOnceForAllWhoAsk) {
  Gate gate;
  World world{gate.run()};
  world.configure({seldom("probe")});
  world.turn_until([&gate] { return gate.begun == 1; });
  World::Ended first, second;
  world.run_now("probe", first);
  world.run_now("probe", second);
  gate.let_through = 1;
  world.turn_until([&gate] { return gate.begun == 2; });
  EXPECT_EQ(first.with_report, 0) << "the run before began too early to tell";
  gate.let_through = 9;
  world.turn_until([&] { return first.with_report == 1 && second.with_report == 1; });
  EXPECT_EQ(gate.begun, 2);
  EXPECT_EQ(world.row("probe").last_report->findings.front().check, "run 2");
}

TEST(Scheduler, TellsWhoAskedThatNoRunWillCome) {
  Gate gate;
  World world{gate.run()};
  world.configure({seldom("gone"), seldom("kept")});
  world.turn_until([&gate] { return gate.begun == 2; });
  World::Ended gone, kept;
  world.run_now("gone", gone);
  world.run_now("kept", kept);
  world.configure({seldom("kept")});
  world.turn_until([&gone] { return gone.without == 1; });
  EXPECT_EQ(kept.without, 0);
  world.stop();
  EXPECT_EQ(kept.without, 1);
  EXPECT_EQ(gone.with_report + kept.with_report, 0);
}

TEST(Scheduler, ConcludesNothingFromARunThatBeganFromWhatIsNotSoAnyMoreAndBeginsAnew) {
  Gate gate;
  World world{gate.run()};
  world.configure({seldom("probe")});
  world.turn_until([&gate] { return gate.begun == 1; });
  gate.let_through = 0;
  world.begin_anew("probe");
  world.turn_until([&gate] { return gate.begun == 2; });
  EXPECT_EQ(world.row("probe").runs, 0U);
  gate.let_through = 2;
  world.run_until("probe", [](ProbeRow const& row) { return row.runs == 1; });
  EXPECT_EQ(world.row("probe").last_report->findings.front().check, "run 2");
  world.begin_anew("probe");  // none goes on
  EXPECT_EQ(gate.begun, 2);
}

TEST(Scheduler, CancelsTheRunOfAProbeThatAReloadRemoves) {
  World world{endless};
  world.configure({spec("gone"), spec("kept")});
  world.run_until("gone", [](ProbeRow const& row) { return row.in_flight_since.has_value(); });
  world.configure({spec("kept")});
  world.configure({spec("gone"), spec("kept")});
  world.run_until("gone", [](ProbeRow const& row) { return row.in_flight_since.has_value(); });
  EXPECT_EQ(world.row("gone").runs, 0U);
}

TEST(Scheduler, KeepsTheRunOfAnUnchangedProbeOverAReload) {
  World world{endless};
  world.configure({spec("kept")});
  world.run_until("kept", [](ProbeRow const& row) { return row.in_flight_since.has_value(); });
  auto const since = world.row("kept").in_flight_since;
  world.configure({spec("kept"), spec("new")});
  world.run_until("new", [](ProbeRow const& row) { return row.in_flight_since.has_value(); });
  EXPECT_EQ(world.row("kept").in_flight_since, since);
}

}  // namespace
}  // namespace canary::daemon

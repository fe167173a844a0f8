// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>

#include "runtime/event.h"
#include "tests/daemon/schedule/scheduler_world.h"

namespace canary::daemon {
namespace {

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

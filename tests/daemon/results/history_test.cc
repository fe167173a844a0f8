// SPDX-License-Identifier: Apache-2.0
// Runs become the state of a probe.
#include "daemon/results/history.h"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "probes/tuf/declaration.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Reason;
using probes::Report;
using probes::Severity;

SysTime at(std::chrono::seconds since_start) { return SysTime{1'790'000'000s + since_start}; }

ProbeFacts demo() {
  return {.name = "demo",
          .repository = "demo-repo",
          .kind = &tuf::kDeclaration,
          .enabled = true,
          .interval = 60s,
          .timeout = 30s};
}

Finding finding(Severity severity, Reason reason, std::string message) {
  return {.check = "check",
          .subject = "subject",
          .severity = severity,
          .reason = reason,
          .message = std::move(message),
          .evidence = "evidence"};
}

Report report(std::vector<Finding> findings) {
  return {.findings = std::move(findings), .measurements = {}};
}
Report healthy() { return report({finding(Severity::ok, Reason::none, "fine")}); }
Report expired() { return report({finding(Severity::critical, Reason::expired, "expired")}); }
Report unreachable() { return report({finding(Severity::unknown, Reason::dns, "no such host")}); }
Report expiring() { return report({finding(Severity::warning, Reason::expiring, "soon")}); }

std::uint64_t failures(History const& history, Reason reason) {
  return history.row().failures_of(reason);
}

TEST(History, KnowsNothingBeforeTheFirstRunHasEnded) {
  History history{demo()};
  history.scheduled(at(5s));
  history.started(at(5s));

  EXPECT_EQ(history.row().severity, std::nullopt);
  EXPECT_EQ(history.row().success(), std::nullopt);
  EXPECT_EQ(history.row().in_flight_since, at(5s));
  EXPECT_EQ(history.row().last_run_end, std::nullopt);
  EXPECT_EQ(history.row().next_run, at(5s));
}

TEST(History, TellsOfAChangeOnceAndOfTheFirstResult) {
  History history{demo()};

  auto const first = history.finished(at(1s), 10ms, healthy());
  auto const same = history.finished(at(61s), 10ms, healthy());
  auto const broken = history.finished(at(121s), 10ms, expired());
  auto const still = history.finished(at(181s), 10ms, expired());

  ASSERT_TRUE(first.state);
  EXPECT_EQ(first.state->from, std::nullopt);
  EXPECT_EQ(first.state->to, Severity::ok);
  EXPECT_FALSE(same.any());
  EXPECT_EQ(broken.probe, "demo");
  ASSERT_TRUE(broken.state);
  EXPECT_EQ(broken.state->from, Severity::ok);
  EXPECT_EQ(broken.state->to, Severity::critical);
  EXPECT_EQ(broken.state->telling, expired().findings.front());
  EXPECT_EQ(broken.state->after, 120s);
  EXPECT_FALSE(still.any());
  EXPECT_EQ(history.row().since, at(121s));
}

TEST(History, CountsCriticalAndUnknownAsFailuresButNotWarnings) {
  History history{demo()};

  history.finished(at(1s), 10ms, expired());
  history.finished(at(2s), 10ms, unreachable());
  EXPECT_EQ(history.row().consecutive_failures, 2u);
  EXPECT_EQ(history.row().success(), false);
  EXPECT_EQ(history.row().last_success, std::nullopt);

  history.finished(at(3s), 10ms, expiring());
  EXPECT_EQ(history.row().consecutive_failures, 0u);
  EXPECT_EQ(history.row().success(), true);
  EXPECT_EQ(history.row().last_success, at(3s));
  EXPECT_EQ(history.row().runs, 3u);
  EXPECT_EQ(failures(history, Reason::expired), 1u);
  EXPECT_EQ(failures(history, Reason::dns), 1u);
  EXPECT_EQ(failures(history, Reason::expiring), 0u);
  EXPECT_EQ(history.row().last_failure_reason, Reason::dns) << "how it failed last is kept";
  EXPECT_EQ(history.row().last_failure, at(2s));
}

TEST(History, CountsAFailedRunUnderOneReasonAndTamperingBeforeExpiry) {
  History history{demo()};

  auto const change =
      history.finished(at(1s), 10ms,
                       report({finding(Severity::unknown, Reason::timeout, "slow"),
                               finding(Severity::critical, Reason::expired, "expired"),
                               finding(Severity::critical, Reason::rollback, "41 < 42")}));

  ASSERT_TRUE(change.state);
  EXPECT_EQ(change.state->telling->reason, Reason::rollback);
  EXPECT_EQ(failures(history, Reason::rollback), 1u);
  EXPECT_EQ(failures(history, Reason::expired), 0u);
  EXPECT_EQ(failures(history, Reason::timeout), 0u);
}

TEST(History, LeavesOutWhatIsAccepted) {
  History history{demo()};
  Finding known = finding(Severity::critical, Reason::expired, "expired");
  known.accepted = probes::Acceptance{.because = "it is being retired", .until = {}};

  history.finished(at(1s), 10ms,
                   report({known, finding(Severity::warning, Reason::expiring, "soon")}));
  EXPECT_EQ(history.row().severity, Severity::warning);
  EXPECT_EQ(telling_finding(*history.row().last_report)->message, "soon");

  history.finished(at(2s), 10ms, report({known}));
  EXPECT_EQ(history.row().severity, Severity::ok);
  EXPECT_EQ(telling_finding(*history.row().last_report), nullptr);
  EXPECT_EQ(history.row().last_report->worst(), nullptr);
  EXPECT_EQ(history.row().last_report->findings[0].severity, Severity::critical) << "still shown";
}

TEST(History, AFailureWithoutAReasonIsCountedAsOurOwn) {
  History history{demo()};
  history.finished(at(1s), 10ms, report({finding(Severity::critical, Reason::none, "?")}));
  EXPECT_EQ(failures(history, Reason::internal), 1u);
  EXPECT_EQ(failures(history, Reason::none), 0u);
}

TEST(History, AnAbandonedRunChangesNothingButThatItIsOver) {
  History history{demo()};
  history.finished(at(1s), 10ms, healthy());
  history.started(at(61s));

  history.abandoned();

  EXPECT_EQ(history.row().in_flight_since, std::nullopt);
  EXPECT_EQ(history.row().runs, 1u);
  EXPECT_EQ(history.row().last_run_end, at(1s));
  EXPECT_EQ(history.row().severity, Severity::ok);
}

TEST(History, AddsUpWhatRunsTook) {
  History history{demo()};
  Report run = healthy();
  run.measurements.bytes_received = 1000;
  run.measurements.requests = 5;
  run.measurements.retries = 1;

  history.finished(at(1s), 300ms, run);
  history.finished(at(2s), 20s, run);
  history.skipped(SkipReason::concurrency, 1);

  ProbeRow const& row = history.row();
  EXPECT_EQ(row.bytes_received, 2000u);
  EXPECT_EQ(row.requests, 10u);
  EXPECT_EQ(row.retries, 2u);
  EXPECT_EQ(row.last_duration, 20s);
  EXPECT_EQ(row.durations.count(), 2u);
  EXPECT_DOUBLE_EQ(row.durations.sum_seconds, 20.3);
  EXPECT_EQ(row.skipped[static_cast<std::size_t>(SkipReason::concurrency)], 1u);
  EXPECT_EQ(row.skipped[static_cast<std::size_t>(SkipReason::overlap)], 0u);
}

TEST(History, AClockSetBackMakesNoNegativeSpan) {
  History history{demo()};
  history.finished(at(100s), 1ms, healthy());
  auto const change = history.finished(at(50s), 1ms, expired());
  ASSERT_TRUE(change.state);
  EXPECT_EQ(change.state->after, 0ms);
}

TEST(History, TellsOfFindingsThatComeAndGoWhileTheWorstStaysWhatItIs) {
  History history{demo()};
  Finding const first{.check = "expiry",
                      .subject = "a",
                      .severity = Severity::critical,
                      .reason = Reason::expired,
                      .message = "expired"};
  Finding second = first;
  second.subject = "b";
  history.finished(at(1s), 1ms, report({first}));

  auto const more = history.finished(at(2s), 1ms, report({first, second}));
  EXPECT_FALSE(more.state);
  ASSERT_EQ(more.findings.size(), 1u);
  EXPECT_EQ(more.findings[0].kind, FindingChange::Kind::opened);
  EXPECT_EQ(more.findings[0].finding, second);
  EXPECT_EQ(history.row().open->total, 2u);
}

TEST(History, AFailureKeepsWhichFindingSpokeForIt) {
  History history{demo()};
  history.finished(at(1s), 1ms, unreachable());
  history.finished(at(2s), 1ms, healthy());
  ASSERT_TRUE(history.row().last_failure_finding);
  EXPECT_EQ(*history.row().last_failure_finding, unreachable().findings.front());
}

TEST(History, GoesOnAfterARestartWhereItWas) {
  History before{demo()};
  before.finished(at(1s), 1ms, healthy());
  before.finished(at(61s), 1ms, expired());
  History history{demo()};
  history.restore(saved_state(before.row()));

  EXPECT_EQ(history.row().severity, Severity::critical);
  EXPECT_EQ(history.row().since, at(61s));
  EXPECT_EQ(history.row().last_success, at(1s));
  EXPECT_EQ(history.row().last_failure_reason, Reason::expired);
  auto const same = history.finished(at(3600s), 1ms, expired());
  EXPECT_FALSE(same.any()) << "nothing has changed since the last time";
  EXPECT_EQ(history.row().consecutive_failures, 2u);
  EXPECT_EQ(history.row().runs, 1u) << "counters are this process's";
}

TEST(History, WhatIsRememberedOfAnotherRepositoryIsNotTaken) {
  ProbeFacts elsewhere = demo();
  elsewhere.url = "https://elsewhere.example/metadata";
  History before{elsewhere};
  before.finished(at(1s), 1ms, expired());
  History history{demo()};
  history.restore(saved_state(before.row()));
  EXPECT_EQ(history.row().severity, std::nullopt);
  EXPECT_EQ(history.row().open->total, 0u);
}

TEST(History, KeepsEverythingWhenReconfigured) {
  History history{demo()};
  history.finished(at(1s), 1ms, expired());
  ProbeFacts slower = demo();
  slower.interval = 600s;

  history.reconfigured(slower);

  EXPECT_EQ(history.row().facts.interval, 600s);
  EXPECT_EQ(history.row().severity, Severity::critical);
  EXPECT_EQ(history.row().consecutive_failures, 1u);
}

TEST(RecentRuns, AreTheLastSixtyWithWhatWasMissedBetweenThem) {
  History history{demo()};
  history.finished(SysTime{1s}, 1ms, healthy());
  history.skipped(SkipReason::overlap, 3);
  history.skipped(SkipReason::offline, 1);
  history.finished(SysTime{2s}, 1ms, expired());
  history.skipped(SkipReason::paused, 1);
  EXPECT_EQ(history.row().recent.runs, "0m2");
  for (int i = 0; i < 100; ++i) history.finished(SysTime{3s}, 1ms, expiring());
  EXPECT_EQ(history.row().recent.runs, std::string(RecentRuns::kKept, '1'));
}

struct BucketCase {
  std::string name;
  std::chrono::nanoseconds value;
  std::size_t bucket;
};
class Buckets : public ::testing::TestWithParam<BucketCase> {};

TEST_P(Buckets, HoldValuesUpToTheirBound) {
  Histogram histogram{kLagBounds};
  histogram.observe(GetParam().value);
  EXPECT_EQ(histogram.counts[GetParam().bucket], 1u);
  EXPECT_EQ(histogram.count(), 1u);
}
INSTANTIATE_TEST_SUITE_P(Cases, Buckets,
                         ::testing::Values(BucketCase{"zero", 0ns, 0}, BucketCase{"bound", 5ms, 1},
                                           BucketCase{"just_above", 5ms + 1ns, 2},
                                           BucketCase{"beyond_all", 1h, kLagBounds.size()}),
                         [](auto const& info) { return info.param.name; });

TEST(SkipReasons, HaveARoomEach) {
  EXPECT_EQ(to_text(static_cast<SkipReason>(kSkipReasons - 1)), "disturbed");
}

}  // namespace
}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// How each step of a run went, as its report says it.
#include "probes/steps.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "probes/tuf/declaration.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Report;
using probes::Severity;
using Verdict = probes::StepOutcome::Verdict;

Finding found(std::string_view check, std::string subject, Severity severity = Severity::ok,
              std::string url = {}) {
  return {.check = check,
          .subject = std::move(subject),
          .severity = severity,
          .reason = severity == Severity::ok ? Reason::none : Reason::timeout,
          .message = "m",
          .url = std::move(url)};
}

std::vector<Verdict> verdicts(Report const& report) {
  std::vector<Verdict> all;
  for (auto const& outcome : probes::outcomes_of(report, "tuf")) all.push_back(outcome.verdict);
  return all;
}

Report whole() {
  Report report;
  for (auto const* const role : {"root", "timestamp", "snapshot", "targets", "bin-0"}) {
    report.findings.push_back(found(kSignatures, role));
    report.measurements.things.push_back({.type = &kRole, .name = role});
  }
  report.findings.push_back(found(kRootChain, "root"));
  report.findings.push_back(found(kTargets, "a/file"));
  report.complete = true;
  return report;
}

TEST(Steps, OfAWholeRunAreOk) { EXPECT_EQ(verdicts(whole()), std::vector(6, Verdict::ok)); }

TEST(Steps, WithoutDelegationsAndTargetsHaveNothingToLookAt) {
  auto report = whole();
  report.findings.erase(report.findings.begin() + 4);
  report.findings.pop_back();
  report.measurements.things.pop_back();
  EXPECT_EQ(verdicts(report), (std::vector{Verdict::ok, Verdict::ok, Verdict::ok, Verdict::ok,
                                           Verdict::nothing, Verdict::nothing}));
}

TEST(Steps, BehindTheOneThatFailedAreNotReached) {
  Report report;
  report.findings = {found(kRootChain, "root"),
                     found("reachable", "https://host/m/timestamp.json?...", Severity::unknown,
                           "https://host/m/timestamp.json?...")};
  EXPECT_EQ(verdicts(report),
            (std::vector{Verdict::ok, Verdict::unknown, Verdict::not_reached, Verdict::not_reached,
                         Verdict::not_reached, Verdict::not_reached}));
}

TEST(Steps, OfAFileThatDidNotComeAreToldByItsName) {
  auto report = whole();
  report.complete = false;
  struct Case {
    std::string url;
    std::size_t place;
  };
  for (auto const& [url, place] :
       {Case{"https://host/5.root.json", 0}, Case{"3.snapshot.json", 2},
        Case{"https://host/12.bin-0.json", 4}, Case{"https://host/2.5.root.json", 4}}) {
    report.findings.back() = found("reachable", url, Severity::unknown);
    EXPECT_EQ(verdicts(report)[place], Verdict::unknown) << url;
  }
}

TEST(Steps, WhatCutARunShortIsToldOfTheFirstThatItDidNotReach) {
  auto report = whole();
  report.complete = false;
  report.findings.erase(report.findings.begin() + 2, report.findings.end());
  report.measurements.things.resize(2);
  report.findings.push_back(found("run", "", Severity::unknown));
  auto const outcomes = probes::outcomes_of(report, "tuf");
  EXPECT_EQ(outcomes[1].verdict, Verdict::ok);
  EXPECT_EQ(outcomes[2].verdict, Verdict::unknown);
  ASSERT_EQ(outcomes[2].findings.size(), 1);
  EXPECT_EQ(outcomes[2].findings[0]->check, "run");
  EXPECT_EQ(outcomes[3].verdict, Verdict::not_reached);
}

TEST(Steps, AnAcceptedFindingIsNoFailure) {
  auto report = whole();
  report.findings[0].severity = Severity::critical;
  EXPECT_EQ(verdicts(report)[0], Verdict::critical);
  report.findings[0].accepted.emplace();
  EXPECT_EQ(verdicts(report)[0], Verdict::ok);
}

TEST(Steps, OfAKindThatNobodyKnowsAreNone) {
  EXPECT_TRUE(probes::outcomes_of(whole(), "no such kind").empty());
}

}  // namespace
}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Which findings came, changed or went.
#include "daemon/results/changes.h"

#include <gmock/gmock.h>

namespace canary::daemon {
namespace {

using probes::Finding;
using probes::Reason;
using probes::Report;
using probes::Severity;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = FindingChange::Kind;

Finding finding(std::string check, std::string subject, Severity severity,
                Reason reason = Reason::expired) {
  return {.check = std::move(check),
          .subject = std::move(subject),
          .severity = severity,
          .reason = reason};
}

Report look(std::vector<Finding> findings, bool complete = true) {
  return {.findings = std::move(findings), .complete = complete};
}

OpenFindings open(std::vector<Finding> findings) {
  return open_after({}, look(std::move(findings)));
}

Finding const kExpired = finding("expiry", "timestamp", Severity::critical);
Finding const kExpiring = finding("expiry", "root", Severity::warning, Reason::expiring);
Finding const kSilent = finding("reachable", "https://h/x", Severity::unknown, Reason::timeout);

TEST(OpenFindings, AreTheWorstFirstWithoutWhatIsOk) {
  auto const all = open({kExpiring, finding("store", "", Severity::ok), kSilent, kExpired});
  EXPECT_THAT(all.findings, ElementsAre(kExpired, kSilent, kExpiring));
  EXPECT_EQ(all.total, 3u);
}

TEST(OpenFindings, StayWhereALookDidNotComeThatFar) {
  auto const after = open_after(open({kExpired, kExpiring}), look({kSilent}, false));
  EXPECT_THAT(after.findings, ElementsAre(kExpired, kSilent, kExpiring));
}

TEST(OpenFindings, GoWithALookThatSaysOtherwise) {
  auto const before = open({kExpired, kExpiring});
  EXPECT_THAT(open_after(before, look({kExpiring})).findings, ElementsAre(kExpiring));
  auto const well = finding("expiry", "timestamp", Severity::ok, Reason::none);
  EXPECT_THAT(open_after(before, look({well, kSilent}, false)).findings,
              ElementsAre(kSilent, kExpiring));
  auto const all_well = finding("expiry", "", Severity::ok, Reason::none);
  EXPECT_THAT(open_after(before, look({all_well}, false)).findings, IsEmpty());
}

TEST(OpenFindings, OfWhatCouldNotBeToldEndWithTheirLook) {
  EXPECT_THAT(open_after(open({kSilent}), look({}, false)).findings, IsEmpty());
}

TEST(OpenFindings, AreBounded) {
  std::vector<Finding> many(3 * kOpenKept, kExpiring);
  many.push_back(kExpired);
  auto const all = open(std::move(many));
  EXPECT_THAT(all.findings, SizeIs(kOpenKept));
  EXPECT_EQ(all.findings.front(), kExpired);
  EXPECT_EQ(all.total, 3 * kOpenKept + 1);
  EXPECT_TRUE(all.cut());
}

TEST(FindingChanges, NameWhatOpenedAndClosed) {
  auto const changes = changes_between(open({kExpiring}), open({kExpired}));
  EXPECT_THAT(changes, ElementsAre(FindingChange{.kind = Kind::opened, .finding = kExpired},
                                   FindingChange{.kind = Kind::closed, .finding = kExpiring}));
}

TEST(FindingChanges, AreNoneWhereOnlyTheWordsDiffer) {
  Finding later = kExpiring;
  later.message = "expires in 5 days";
  EXPECT_THAT(changes_between(open({kExpiring}), open({later})), IsEmpty());
}

TEST(FindingChanges, TellWhatSeverityAndReasonWere) {
  Finding worse = kExpiring;
  worse.severity = Severity::critical;
  worse.reason = Reason::expired;
  EXPECT_THAT(
      changes_between(open({kExpiring}), open({worse})),
      ElementsAre(FindingChange{Kind::changed, worse, Severity::warning, Reason::expiring}));
}

TEST(FindingChanges, TellWhenAFindingIsAcceptedAndWhenItIsNoLonger) {
  Finding accepted = kExpired;
  accepted.accepted = {.because = "known", .until = {}};
  EXPECT_THAT(changes_between(open({kExpired}), open({accepted})),
              ElementsAre(FindingChange{Kind::changed, accepted, Severity::critical,
                                        Reason::expired, false}));
  EXPECT_THAT(changes_between(open({accepted}), open({kExpired})),
              ElementsAre(FindingChange{Kind::changed, kExpired, Severity::critical,
                                        Reason::expired, true}));
}

TEST(FindingChanges, TellTwoFindingsOfOnePlaceApart) {
  auto const a = finding("signatures", "root", Severity::warning, Reason::signature);
  auto const b = finding("signatures", "root", Severity::warning, Reason::threshold);
  EXPECT_THAT(changes_between(open({a, b}), open({b})),
              ElementsAre(FindingChange{.kind = Kind::closed, .finding = a}));
  EXPECT_THAT(changes_between(open({a}), open({a, a})),
              ElementsAre(FindingChange{.kind = Kind::opened, .finding = a}));
}

TEST(FindingChanges, AreNotMadeUpFromWhatWasCutOff) {
  OpenFindings cut = open({kExpired});
  cut.total = 5;
  EXPECT_THAT(changes_between(cut, open({kExpired, kExpiring})), IsEmpty());
  EXPECT_THAT(changes_between(open({kExpired, kExpiring}), cut), IsEmpty());
}

TEST(FindingChanges, ComeTheWorstFirst) {
  auto const changes = changes_between({}, open({kExpiring, kSilent, kExpired}));
  ASSERT_THAT(changes, SizeIs(3));
  EXPECT_EQ(changes[0].finding, kExpired);
  EXPECT_EQ(changes[2].finding, kExpiring);
}

}  // namespace
}  // namespace canary::daemon

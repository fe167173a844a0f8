// SPDX-License-Identifier: Apache-2.0
// What stays known of a repository when a look at it fails.
#include "daemon/results/known.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/results/a_role.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::CertificateEnds;
using probes::Report;
using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr SysTime kFirst{1'790'000'000s};
constexpr SysTime kLater{1'790'000'060s};
constexpr std::chrono::sys_seconds kEnds{1'800'000'000s};
constexpr CertificateEnds kCertificates{kEnds, kEnds - std::chrono::days{14}};

probes::ThingFacts role(std::string name, std::int64_t version,
                        std::chrono::sys_seconds expires = kEnds) {
  return a_role(std::move(name), version, {.at = expires});
}

Report look(std::vector<probes::ThingFacts> roles, bool complete) {
  Report report;
  report.measurements.things = std::move(roles);
  report.complete = complete;
  return report;
}

TEST(Known, ALookThatFailsTakesNothingAway) {
  Report good = look({role("root", 1), role("timestamp", 7)}, true);
  good.measurements.certificates = kCertificates;
  Known const known = merged({}, good, kFirst);
  Known const after = merged(known, look({}, false), kLater);
  EXPECT_EQ(after, known);
  EXPECT_EQ(after.things[0].seen, kFirst);
  EXPECT_EQ(after.certificates_seen, kFirst);
  EXPECT_FALSE(differ(known, after));
}

TEST(Known, WhatAPartialLookSawIsNew) {
  Known const known = merged({}, look({role("root", 1), role("timestamp", 7)}, true), kFirst);
  Known const after = merged(known, look({role("root", 2)}, false), kLater);
  EXPECT_THAT(after.things, ElementsAre(KnownThing{role("root", 2), kLater},
                                        KnownThing{role("timestamp", 7), kFirst}));
  EXPECT_TRUE(differ(known, after));
}

TEST(Known, AThingIsSeenWhenTheReportSays) {
  auto earlier = role("bin-0", 1);
  earlier.seen = std::chrono::sys_seconds{1'780'000'000s};
  Known const known = merged({}, look({role("root", 1), earlier}, true), kFirst);
  EXPECT_THAT(known.things, ElementsAre(KnownThing{role("root", 1), kFirst},
                                        KnownThing{role("bin-0", 1), SysTime{*earlier.seen}}));
  EXPECT_FALSE(differ(known, merged({}, look({role("root", 1), role("bin-0", 1)}, true), kLater)))
      << "when it was seen is no news of it";
}

TEST(Known, ARemovedRoleIsGoneWithTheFirstCompleteLookWithoutIt) {
  Known const known = merged({}, look({role("targets", 1), role("bin-0", 1)}, true), kFirst);
  EXPECT_THAT(merged(known, look({role("targets", 2)}, false), kLater).things, SizeIs(2));
  EXPECT_THAT(merged(known, look({role("targets", 2)}, true), kLater).things, SizeIs(1));
}

TEST(Known, ACertificateIsKnownUntilAnotherOneIsSeen) {
  Report first = look({}, true);
  first.measurements.certificates = kCertificates;
  Known const known = merged({}, first, kFirst);
  Report expired = look({}, false);
  CertificateEnds const sooner{kEnds - 1h, kEnds - 2h};
  expired.measurements.certificates = sooner;
  Known const after = merged(known, expired, kLater);
  EXPECT_EQ(after.certificates, sooner);
  EXPECT_EQ(after.certificates_seen, kLater);
  EXPECT_EQ(merged(after, look({}, true), kLater).certificates, std::nullopt) << "no TLS any more";
}

TEST(Known, ACertificateThatIsAThingIsNotToldTwice) {
  Report report = look({}, true);
  report.measurements.certificates = kCertificates;
  Known known = merged({}, report, kFirst);
  EXPECT_EQ(certificates_beside_things(known), kCertificates);
  report.measurements.things = {role("issuer", 1, kEnds + 1h)};
  EXPECT_EQ(certificates_beside_things(merged({}, report, kFirst)), kCertificates);
  report.measurements.things.push_back(role("server", 1, kEnds));
  EXPECT_EQ(certificates_beside_things(merged({}, report, kFirst)), std::nullopt);
}

TEST(Known, ThingsOfTwoTypesMayHaveOneName) {
  static constexpr probes::ThingType kKey{.name = "key", .plural = "keys"};
  Report report = look({role("root", 1), {.type = &kKey, .name = "root"}}, true);
  EXPECT_THAT(merged({}, report, kFirst).things, SizeIs(2));
}

TEST(Known, WhatHasNoEndIsTheFirstToBeForgotten) {
  std::vector<probes::ThingFacts> many;
  for (std::size_t i = 0; i < kKnownThings; ++i) many.push_back(role("r" + std::to_string(i), 1));
  many.front().expiry.reset();
  Known const known = merged({}, look(std::move(many), true), kFirst);
  Known const after = merged(known, look({role("new", 1)}, false), kLater);
  EXPECT_EQ(after.things.back().facts.name.text().front(), 'r');
  for (auto const& thing : after.things) EXPECT_TRUE(thing.facts.expiry) << thing.facts.name.text();
}

TEST(Known, IsBoundedWhateverARepositoryDelegates) {
  std::vector<probes::ThingFacts> many;
  for (int i = 0; i < 200; ++i) many.push_back(role("old-" + std::to_string(i), 1, kEnds + i * 1s));
  Known const known = merged({}, look(std::move(many), true), kFirst);
  Known const after = merged(known, look({role("root", 1)}, false), kLater);
  ASSERT_THAT(after.things, SizeIs(kKnownThings));
  EXPECT_EQ(after.things[1].facts.name, "old-0") << "those that expire first are kept";
}

TEST(Versions, ThatChangedAreToldAndThoseOfManyOnlyWhereTheyWereKnown) {
  auto bin = a_delegated_role("bin", kEnds), other = a_delegated_role("other", kEnds);
  Known const before =
      merged({}, look({role("root", 1), role("timestamp", 41), bin}, true), kFirst);
  EXPECT_THAT(versions_between({}, before),
              ElementsAre(VersionChange{.thing = "root", .version = 1, .was = 0},
                          VersionChange{.thing = "timestamp", .version = 41, .was = 0}));
  bin.numbers[tuf::kVersion] = 2;
  Known const after = merged(
      before, look({role("root", 1), role("timestamp", 42), role("snapshot", 7), bin, other}, true),
      kLater);
  EXPECT_THAT(versions_between(before, after),
              ElementsAre(VersionChange{.thing = "timestamp", .version = 42, .was = 41},
                          VersionChange{.thing = "snapshot", .version = 7, .was = 0},
                          VersionChange{.thing = "bin", .version = 2, .was = 1}));
  EXPECT_THAT(versions_between(after, after), SizeIs(0));
}

TEST(Known, SeeingTheSameAgainIsNoChange) {
  Known const known = merged({}, look({role("root", 1)}, true), kFirst);
  Known const again = merged(known, look({role("root", 1)}, true), kLater);
  EXPECT_EQ(again.things[0].seen, kLater);
  EXPECT_FALSE(differ(known, again));
}

}  // namespace
}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What was read is judged by values alone.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tls/examine.h"

namespace canary::tls {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Severity;

constexpr std::chrono::sys_seconds kNow{1'790'000'000s};

Examined a_look() {
  Examined examined;
  examined.chain = {{.subject = "server",
                     .issuer = "Issuer",
                     .begins = kNow - 24h * 30,
                     .ends = kNow + 24h * 60}};
  examined.name_fits = true;
  return examined;
}

Finding staple_of(Staple const& staple) {
  Examined examined = a_look();
  examined.staple = staple;
  std::vector<probes::ThingFacts> things;
  for (auto const& finding : judge(examined, {}, {.address = "h:443"}, kNow, things)) {
    if (finding.check == "staple") return finding;
  }
  return {.check = "none"};
}

TEST(TlsJudge, AStapleThatHasEndedIsBad) {
  Finding const finding =
      staple_of({.status = StapleStatus::good, .from = kNow - 2h, .until = kNow});
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.reason.word(), "expired");
}

TEST(TlsJudge, AStapleOfTheFutureIsBad) {
  EXPECT_EQ(staple_of({.status = StapleStatus::good, .from = kNow + 1s}).reason.word(),
            "staple_invalid");
}

TEST(TlsJudge, AStapleThatSomebodyElseSignedIsBad) {
  EXPECT_EQ(staple_of({.status = StapleStatus::not_signed}).severity, Severity::critical);
}

TEST(TlsJudge, AThresholdThatIsNotFittedHoldsAsItStands) {
  std::vector<probes::ThingFacts> things;
  Spec const spec{.address = "h:443", .expiry = {.warning = 24h * 61, .critical = 24h * 7}};
  auto const found = judge(a_look(), {}, spec, kNow, things);
  ASSERT_EQ(things.size(), 1U);
  EXPECT_EQ(things[0].expiry->warning, 24h * 61);
  EXPECT_EQ(found.back().severity, Severity::warning);
}

TEST(TlsJudge, NoCertificateThatCanBeReadIsBad) {
  std::vector<probes::ThingFacts> things;
  auto const found =
      judge(examine({.chain = {"garbage"}}, "h"), {}, {.address = "h:443"}, kNow, things);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_TRUE(things.empty());
}

}  // namespace
}  // namespace canary::tls

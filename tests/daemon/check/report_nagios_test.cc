// SPDX-License-Identifier: Apache-2.0
// Thread: main.
#include "daemon/check/report_nagios.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/daemon/check/reports.h"
#include "tests/daemon/results/a_role.h"

namespace canary::daemon {
namespace {

using probes::Severity;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::chrono::sys_seconds kNow{std::chrono::days{20'000}};

std::string report(std::vector<CheckedProbe> const& checked, bool quiet = false) {
  return report_nagios(checked, {.quiet = quiet, .at = kNow});
}

std::string first_line(std::string const& text) { return text.substr(0, text.find('\n')); }

TEST(ReportNagios, BeginsWithTheStateAndItsCause) {
  auto const text = report(
      {a_probe("mirror", {a_finding(Severity::ok, "well"), a_finding(Severity::warning, "slow"),
                          a_finding(Severity::critical, "wrong")})});
  EXPECT_THAT(text,
              StartsWith("CANARYD CRITICAL: mirror: banner: host:873: wrong; 1 more finding |"));
  EXPECT_THAT(text, HasSubstr("\n[CRITICAL] mirror: banner: host:873: wrong\n"
                              "[WARNING] mirror: banner: host:873: slow\n"));
}

TEST(ReportNagios, OfSeveralProbesTellsOfTheWorstAndCountsThem) {
  std::vector const probes{a_probe("good", {a_finding(Severity::ok, "well")}),
                           a_probe("away", {a_finding(Severity::unknown, "no answer")}),
                           a_probe("bad", {a_finding(Severity::critical, "wrong")})};
  auto const text = report(probes);
  EXPECT_THAT(text,
              StartsWith("CANARYD CRITICAL: bad: banner: host:873: wrong; 1 more finding; of 3 "
                         "probes 1 ok, 1 critical, 1 unknown | 'time'=1.500s 'ok'=1 "
                         "'warning'=0 'critical'=1 'unknown'=1\n"));
  EXPECT_THAT(text, HasSubstr("[OK] good\n"));
  EXPECT_THAT(report(probes, true), Not(HasSubstr("[OK]")));
}

TEST(ReportNagios, HasOneBarWhateverTextsAndNamesHold) {
  auto probe =
      a_probe("a|b", {a_finding(Severity::critical, "x | 'y'=1;;; \n second \x1b[2J")}, "tuf");
  probe.report.measurements.things = {a_role("r'=|\n", 1, {.at = kNow})};
  auto const text = report({probe});
  EXPECT_EQ(std::ranges::count(text, '|'), 1) << text;
  EXPECT_THAT(text, StartsWith("CANARYD CRITICAL: a\\x7cb: banner: host:873: x \\x7c 'y'=1;;; \\n "
                               "second \\x1b[2J |"));
  EXPECT_THAT(text, HasSubstr(" 'role r__\\x7c\\n'=0s;0:;0: "));
}

TEST(ReportNagios, GivesWhatEndsInSecondsWithItsThresholdsAsRanges) {
  auto probe = a_probe("repo", {a_finding(Severity::ok, "well")}, "tuf");
  probe.report.measurements.things = {a_role("root", 1,
                                             {.at = kNow + std::chrono::hours{1},
                                              .warning = std::chrono::seconds{60},
                                              .critical = std::chrono::seconds{10}}),
                                      a_role("late", 1, {.at = kNow - std::chrono::seconds{5}})};
  EXPECT_THAT(report({probe}), HasSubstr(" 'role late'=-5s;0:;0: 'role root'=3600s;60:;10: "));
}

TEST(ReportNagios, WritesNumbersWithoutExponents) {
  auto probe = a_probe("plugin", {a_finding(Severity::ok, "well", "plugin")}, "exec");
  auto const& family = *probes::declaration_of("exec").samples[0];
  auto& samples = probe.report.measurements.samples;
  samples = {
      {&family, "big", 123'456'789'012.0}, {&family, "small", 0.0000001}, {&family, "huge", 1e300}};
  auto const text = report({probe});
  EXPECT_THAT(text, HasSubstr("'perfdata big'=123456789012 "));
  EXPECT_THAT(text, HasSubstr("'perfdata small'=0.000 "));
  EXPECT_THAT(text, HasSubstr("'perfdata huge'=U"));
}

TEST(ReportNagios, KeepsWithinWhatItsReadersTake) {
  std::vector<CheckedProbe> probes;
  for (int i = 0; i < 500; ++i) {
    probes.push_back(a_probe(std::string(90, 'n') + std::to_string(i),
                             {a_finding(Severity::critical, std::string(2'000, 'm'))}));
  }
  auto const text = report(probes);
  EXPECT_LE(text.size(), kMostNagiosBytes);
  EXPECT_LE(first_line(text).size(), kMostNagiosLine);
  EXPECT_THAT(first_line(text), HasSubstr("499 more findings; of 500 probes 500 critical |"));
  EXPECT_THAT(text, HasSubstr(" more, left out for their length\n"));

  auto one =
      a_probe(std::string(500, '|'), {a_finding(Severity::critical, std::string(900, '|'))}, "tuf");
  for (int i = 0; i < 50; ++i) {
    one.report.measurements.things.push_back(a_role(std::string(90, 'r') + std::to_string(i), 1,
                                                    {.at = kNow + std::chrono::seconds{i}}));
  }
  EXPECT_LE(first_line(report({one})).size(), kMostNagiosLine);
}

TEST(ReportNagios, OfNoProbeIsUnknown) {
  EXPECT_EQ(report({}), "CANARYD UNKNOWN: there is no probe to run\n");
  EXPECT_EQ(nagios_unknown("a|b\nc"), "CANARYD UNKNOWN: a\\x7cb\\nc\n");
}

TEST(ReportNagios, LeavesOutOfTheStateWhatIsAccepted) {
  auto accepted = a_finding(Severity::critical, "known");
  accepted.accepted = probes::Acceptance{.because = "being retired"};
  EXPECT_THAT(report({a_probe("mirror", {accepted})}),
              StartsWith("CANARYD OK: mirror: 1 finding, ok or accepted |"));
}

}  // namespace
}  // namespace canary::daemon

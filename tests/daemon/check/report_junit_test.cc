// SPDX-License-Identifier: Apache-2.0
// Its form; outputs_test.py reads that of the real program with a parser.
// Thread: main.
#include "daemon/check/report_junit.h"

#include <gmock/gmock.h>

#include "tests/daemon/check/reports.h"

namespace canary::daemon {
namespace {

using probes::Severity;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReportJunit, HasASuiteForAProbeAndACaseForACheck) {
  auto const xml = report_junit(
      {a_probe("a.b", {a_finding(Severity::ok, "one"), a_finding(Severity::critical, "two"),
                       a_finding(Severity::warning, "three"),
                       a_finding(Severity::unknown, "four", "reachable")}),
       a_probe("c", {})},
      {});
  EXPECT_THAT(xml,
              HasSubstr(R"(<testsuites name="canaryd check" tests="3" failures="1" errors="1" )"
                        R"(skipped="1" time="3.000">)"));
  EXPECT_THAT(xml,
              HasSubstr(R"(<testsuite name="a.b" tests="2" failures="1" errors="1" skipped="0")"));
  EXPECT_THAT(xml, HasSubstr(R"(<testcase classname="tcp.a_b" name="banner" time="0">)"));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"critical: host:873: two\" type=\"connect\">"
                             "critical: host:873: two\nwarning: host:873: three\n</failure>"));
  EXPECT_THAT(xml, HasSubstr("<error message=\"unknown: host:873: four\" type=\"connect\">"));
  EXPECT_THAT(xml, HasSubstr("<skipped message="));
}

// As the exit status does.
TEST(ReportJunit, FailsAWarningAndPassesWhatIsAccepted) {
  auto const warning = report_junit({a_probe("a", {a_finding(Severity::warning, "near")})}, {});
  EXPECT_THAT(warning, HasSubstr("failures=\"1\""));
  auto known = a_finding(Severity::critical, "known");
  known.accepted = probes::Acceptance{.because = "being <retired>"};
  auto const accepted = report_junit({a_probe("a", {known})}, {});
  EXPECT_THAT(accepted, HasSubstr("failures=\"0\""));
  EXPECT_THAT(accepted, HasSubstr("being &lt;retired&gt;"));
}

TEST(ReportJunit, IsHarmlessWhateverTextsHold) {
  auto const xml = report_junit(
      {a_probe("\x01\"<&\n\xff\xef\xbf\xbe",
               {a_finding(Severity::critical, "]]></failure> \x1b[2J \xef\xbf\xbf & \"")})},
      {});
  EXPECT_THAT(xml, HasSubstr("name=\"\\x01&quot;&lt;&amp;\\n\\xff\\u{fffe}\""));
  EXPECT_THAT(xml, HasSubstr("]]&gt;&lt;/failure&gt; \\x1b[2J \\u{ffff} &amp; &quot;"));
}

TEST(ReportJunit, QuietHasWhatFailedAlone) {
  auto const xml = report_junit({a_probe("a", {a_finding(Severity::ok, "one"),
                                               a_finding(Severity::unknown, "four", "reachable")})},
                                {.quiet = true});
  EXPECT_THAT(xml, HasSubstr("tests=\"1\""));
  EXPECT_THAT(xml, Not(HasSubstr("banner")));
}

}  // namespace
}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
#include "probes/http/judge.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::http {
namespace {

using namespace std::chrono_literals;
using probes::Finding;
using probes::Severity;
using ::testing::HasSubstr;

Spec a_spec() { return {.url = config::Url::parse("http://host.test/").value()}; }

Answer an_answer(std::string text = {}) {
  Answer answer;
  answer.response.status = 200;
  answer.response.length = text.size();
  answer.response.final_url = a_spec().url;
  answer.response.headers = {
      {"content-type", "text/html"}, {"x-cache", "MISS"}, {"x-cache", "HIT"}};
  answer.text = std::move(text);
  return answer;
}

// The worst of a check; "none" where there is no such finding.
Finding of(std::vector<Finding> const& found, std::string_view check) {
  Finding worst{.check = "none"};
  for (auto const& each : found) {
    if (each.check == check && (worst.check == "none" || each.severity > worst.severity)) {
      worst = each;
    }
  }
  return worst;
}

struct Case {
  std::string name;
  void (*expect)(Spec&);
  std::string check;
  bool good;
};
void PrintTo(Case const& value, std::ostream* out) { *out << value.name; }
class Expected : public ::testing::TestWithParam<Case> {};

TEST_P(Expected, OfAnAnswerIsMetOrCritical) {
  Spec spec = a_spec();
  GetParam().expect(spec);
  auto answer = an_answer(R"({"state": "ok", "count": 3})");
  answer.sha256 = "aa";
  auto const finding = of(judge(spec, answer), GetParam().check);
  EXPECT_EQ(finding.severity, GetParam().good ? Severity::ok : Severity::critical)
      << finding.message.text();
  EXPECT_EQ(finding.check, GetParam().check);
  EXPECT_FALSE(finding.message.empty());
  EXPECT_EQ(finding.reason == probes::Reason::none, GetParam().good);
  EXPECT_EQ(finding.expected.empty(), GetParam().good);
  EXPECT_EQ(finding.received.empty(), GetParam().good);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Expected,
    ::testing::Values(
        Case{"status", [](Spec&) {}, "status", true},
        Case{"another_status", [](Spec& s) { s.status = {"204", "300-399"}; }, "status", false},
        Case{"contains", [](Spec& s) { s.contains = "state"; }, "body", true},
        Case{"contains_not", [](Spec& s) { s.contains = "absent"; }, "body", false},
        Case{"not_contains", [](Spec& s) { s.not_contains = "absent"; }, "body", true},
        Case{"not_contains_not", [](Spec& s) { s.not_contains = "state"; }, "body", false},
        Case{"matches", [](Spec& s) { s.matches = "count.: [0-9]"; }, "body", true},
        Case{"matches_not", [](Spec& s) { s.matches = "count.: [a-z]"; }, "body", false},
        Case{"not_matches", [](Spec& s) { s.not_matches = "^x"; }, "body", true},
        Case{"not_matches_not", [](Spec& s) { s.not_matches = "ok"; }, "body", false},
        Case{"sha256", [](Spec& s) { s.sha256 = "AA"; }, "body", true},
        Case{"sha256_not", [](Spec& s) { s.sha256 = "ab"; }, "body", false},
        Case{"min_size", [](Spec& s) { s.min_size = 27; }, "body", true},
        Case{"min_size_not", [](Spec& s) { s.min_size = 28; }, "body", false},
        Case{"max_size", [](Spec& s) { s.max_size = 27; }, "body", true},
        Case{"max_size_not", [](Spec& s) { s.max_size = 26; }, "body", false},
        Case{"json", [](Spec& s) { s.json = {"/state: ok", "/count: 3", "/count"}; }, "json", true},
        Case{"json_not", [](Spec& s) { s.json = {"/state: ok", "/count: 4"}; }, "json", false},
        Case{"json_missing", [](Spec& s) { s.json = {"/other"}; }, "json", false},
        Case{"header", [](Spec& s) { s.header_matches = {"Content-Type: ^text/"}; }, "headers",
             true},
        Case{"header_twice", [](Spec& s) { s.header_matches = {"X-Cache: HIT"}; }, "headers", true},
        Case{"header_not", [](Spec& s) { s.header_matches = {"Content-Type: json"}; }, "headers",
             false},
        Case{"header_missing", [](Spec& s) { s.header_matches = {"X-Other: .*"}; }, "headers",
             false},
        Case{"no_header", [](Spec& s) { s.header_not_matches = {"X-Other: .*"}; }, "headers", true},
        Case{"no_header_not", [](Spec& s) { s.header_not_matches = {"X-Cache: HIT"}; }, "headers",
             false},
        Case{"no_redirects", [](Spec& s) { s.redirects = 0; }, "redirects", true},
        Case{"redirects_not", [](Spec& s) { s.redirects = 1; }, "redirects", false},
        Case{"final_url",
             [](Spec& s) { s.final_url = config::Url::parse("http://host.test/").value(); },
             "redirects", true},
        Case{"final_url_not",
             [](Spec& s) { s.final_url = config::Url::parse("https://host.test/").value(); },
             "redirects", false}),
    [](auto const& info) { return info.param.name; });

TEST(Judge, OfAnotherStatusShowsTheBodyAndLooksNoFurther) {
  Spec spec = a_spec();
  spec.contains = "welcome";
  auto answer = an_answer("the database is away");
  answer.response.status = 500;
  auto const found = judge(spec, answer);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_EQ(found[0].message.text(),
            "the server answers 500, expected 200-299: \"the database is away\"");
}

TEST(Judge, OfAServerThatWantsToBeAskedLaterCannotTell) {
  auto answer = an_answer();
  answer.response.status = 429;
  EXPECT_EQ(judge(a_spec(), answer).at(0).severity, Severity::unknown);
}

TEST(Judge, ShowsTheWayOfRedirects) {
  auto answer = an_answer();
  answer.response.redirects = {{301, config::Url::parse("http://host.test/a").value()},
                               {302, config::Url::parse("http://host.test/b?key=1").value()}};
  auto const finding = of(judge(a_spec(), answer), "redirects");
  EXPECT_EQ(finding.severity, Severity::ok);
  EXPECT_EQ(finding.message.text(),
            "301 to http://host.test/a, then 302 to http://host.test/b?...");
}

TEST(Judge, OfHeadTakesTheAnnouncedLengthAsSize) {
  Spec spec = a_spec();
  spec.method = "HEAD";
  spec.min_size = 100;
  auto answer = an_answer();
  answer.response.headers = {{"content-length", "99"}};
  EXPECT_EQ(of(judge(spec, answer), "body").severity, Severity::critical);
  answer.response.headers = {{"content-length", "100"}};
  EXPECT_EQ(of(judge(spec, answer), "body").severity, Severity::ok);
}

TEST(Judge, OfABodyThatIsNoJsonIsCritical) {
  Spec spec = a_spec();
  spec.json = {"/a"};
  auto const finding = of(judge(spec, an_answer("<html>")), "json");
  EXPECT_EQ(finding.severity, Severity::critical);
  EXPECT_EQ(finding.reason, probes::Reason::parse);
  EXPECT_THAT(finding.message.text(), HasSubstr("it begins \"<html>\""));
}

TEST(Judge, OfABodyBeyondOurOwnLimitCannotTell) {
  fetch::Fault fault{
      .kind = fetch::FaultKind::too_large, .message = "it is long", .answered = true};
  Spec spec = a_spec();
  EXPECT_EQ(judge(spec, fault).severity, Severity::unknown);
  spec.max_size = 10;
  EXPECT_EQ(judge(spec, fault).severity, Severity::critical);
}

TEST(Judge, OfCertificatesFitsTheThresholdsToTheirValidity) {
  fetch::Totals totals;
  std::chrono::sys_seconds const now{1'790'000'000s};
  totals.certificates["short.test:443"] = {now - 3 * 86'400s, now + 3 * 86'400s};
  totals.certificates["long.test:443"] = {now - 365 * 86'400s, now + 20 * 86'400s};
  probes::Measurements measured;
  auto const found = judge_certificates(a_spec(), totals, now, measured);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].subject.text(), "long.test:443");
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[1].severity, Severity::ok) << "three of six days are left";
  ASSERT_EQ(measured.things.size(), 2U);
  EXPECT_EQ(measured.things[1].expiry->warning, 2 * 86'400s);
}

}  // namespace
}  // namespace canary::http

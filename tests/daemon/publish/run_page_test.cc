// SPDX-License-Identifier: Apache-2.0
// Single runs and days of a probe: what leads there, what is told of them, and which addresses are
// refused.
#include "daemon/publish/page/run_page.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/page/run_links.h"
#include "tests/daemon/publish/page_fixture.h"

namespace canary::daemon::page {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kEvil[] = "<script>alert(1)</script>\"'{{version}}&";

std::vector<std::string> links(RecentRuns const& recent, std::vector<history::RunEntry> const& runs,
                               std::optional<SysTime> last_end) {
  Fields fields;
  add_run_links(fields, "demo", recent, runs, last_end);
  std::vector<std::string> all;
  for (auto const& link : fields.lists().at("run_links")) {
    all.push_back(link.texts().at("x") + " " + link.texts().at("href"));
  }
  return all;
}

RecentRuns recent(std::string const& runs) {
  RecentRuns made;
  for (char const run : runs) made.add(run);
  return made;
}

history::RunEntry entry(SysTime ended, Severity severity = Severity::ok) {
  return {.probe = "demo", .url = "u", .ended = ended, .duration = 250ms, .severity = severity};
}

TEST(RunLinks, LeadFromEachBarToItsRunTheNewestFirst) {
  auto const found =
      links(recent("02m0"),
            {entry(kNow - 3min), entry(kNow - 2min, Severity::critical), entry(kNow)}, kNow);
  ASSERT_THAT(found, SizeIs(3)) << "a missed one leads nowhere";
  EXPECT_EQ(found[0], "354 /probe/demo/run/2026-11-26T02:00:00.000Z");
  EXPECT_EQ(found[1], "342 /probe/demo/run/2026-11-26T01:58:00.000Z");
  EXPECT_EQ(found[2], "336 /probe/demo/run/2026-11-26T01:57:00.000Z");
}

TEST(RunLinks, LeadToTheLastRunBeforeItIsWritten) {
  auto const found = links(recent("20"), {entry(kNow - 1min, Severity::critical)}, kNow);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0], HasSubstr("02:00:00.000Z"));
  EXPECT_THAT(found[1], HasSubstr("01:59:00.000Z"));
}

TEST(RunLinks, LeadNowhereWhereBarsAndHistoryDoNotFit) {
  auto const found = links(recent("200"), {entry(kNow - 1min), entry(kNow)}, kNow);
  EXPECT_THAT(found, SizeIs(2)) << "the history has no third run";
  EXPECT_THAT(links(recent("22"), {entry(kNow)}, kNow), SizeIs(0));
  EXPECT_THAT(links(recent("0"), {}, std::nullopt), SizeIs(0));
}

TEST(RunLinks, AddressesEscapeTheName) {
  EXPECT_EQ(run_address("a/b <&>", kNow).find("a/b <"), std::string::npos);
  EXPECT_THAT(day_address("demo", kNow), "/probe/demo/day/2026-11-26");
}

TEST(RunTimes, AreTakenAsTheyAreWrittenAndNotOtherwise) {
  EXPECT_EQ(parse_run_time("2026-11-26T02:00:00.000Z"), kNow);
  for (auto const* const wrong :
       {"", "now", "2026-11-26", "2026-11-26T02:00:00Z", "2026-11-26T02:00:00.000",
        "2026-11-26T02:00:00.0000", "2026-11-26t02:00:00.000Z", "2026-11-26T24:00:00.000Z",
        "2026-11-26T02:60:00.000Z", "2026-02-30T02:00:00.000Z", "2026-13-01T02:00:00.000Z",
        "-026-11-26T02:00:00.000Z", "2026-11-26T02:00:00.00AZ", "2026/11/26T02:00:00.000Z",
        "1969-12-31T23:59:59.999Z", "2026-11-26T+2:00:00.000Z", "2026-11-26T02:00:00.000Z/.."}) {
    EXPECT_FALSE(parse_run_time(wrong)) << wrong;
  }
  EXPECT_EQ(parse_day("2026-11-26"), std::chrono::floor<std::chrono::days>(kNow));
  for (auto const* const wrong : {"", "2026-11-31", "2026-1-26", "26-11-2026", "2026-11-26T"}) {
    EXPECT_FALSE(parse_day(wrong)) << wrong;
  }
}

class OfARun : public ::testing::Test {
 protected:
  std::string page() { return run_page(facts_, kNow - 1h, past_, kNow); }
  ProbeFacts facts_{.name = "demo", .repository = "fleet", .kind = &tuf::kDeclaration};
  RunPast past_;
};

TEST_F(OfARun, ThePageHasItsFindingsVersionsAndNeighbours) {
  past_.run = entry(kNow - 1h, Severity::critical);
  past_.run->telling = history::Words{.reason = "expired"};
  past_.before = kNow - 61min;
  past_.findings = {
      {.finding = {.check = "expiry",
                   .subject = "timestamp",
                   .reason = "expired",
                   .message = "expired at noon",
                   .severity = Severity::critical},
       .first = kNow - 2h},
      {.finding = {.check = "metadata", .severity = Severity::warning}, .first = kNow - 1h}};
  past_.versions = {
      {.probe = "demo", .thing = "timestamp", .at = kNow - 3h, .version = 42, .was = 41}};
  auto const text = page();
  EXPECT_THAT(text,
              HasSubstr("<a href=\"/probe/demo\">demo</a>: failing, 2026-11-26 01:00:00 UTC"));
  EXPECT_THAT(text, HasSubstr("It took 250 ms; its reason was expired."));
  EXPECT_THAT(text, HasSubstr("timestamp: expired at noon"));
  EXPECT_THAT(text, HasSubstr("since 2026-11-26 00:00:00 UTC"));
  EXPECT_THAT(text, HasSubstr("new in this run"));
  EXPECT_THAT(text, HasSubstr("#TufMetadataExpired"));
  EXPECT_THAT(text, HasSubstr("<td>v42</td><td>2026-11-25 23:00:00 UTC</td><td>v41</td>"));
  EXPECT_THAT(text, HasSubstr("/probe/demo/run/2026-11-26T00:59:00.000Z\" rel=\"prev\""));
  EXPECT_THAT(text, Not(HasSubstr("rel=\"next\"")));
  EXPECT_THAT(text, HasSubstr("data-still")) << "what is past is not renewed";
}

TEST_F(OfARun, ThePageSaysWhyItIsNotInTheHistory) {
  EXPECT_THAT(page(), HasSubstr("No run of this probe is known to have ended at that moment"));
  EXPECT_THAT(run_page(facts_, kNow - 24h * 8, past_, kNow), HasSubstr("kept for 7 days"));
  EXPECT_THAT(run_page(facts_, kNow + 1h, past_, kNow), HasSubstr("still to come"));
}

TEST_F(OfARun, TextOfOthersStaysText) {
  facts_.name = kEvil;
  past_.run = entry(kNow - 1h, Severity::critical);
  past_.run->telling = history::Words{.reason = kEvil};
  past_.findings = {{.finding = {.check = kEvil,
                                 .subject = kEvil,
                                 .reason = kEvil,
                                 .message = kEvil,
                                 .evidence = kEvil,
                                 .url = std::string{"javascript:alert(1)//"} + kEvil,
                                 .severity = Severity::critical},
                     .first = std::nullopt}};
  past_.versions = {{.probe = kEvil, .thing = kEvil, .version = 1}};
  DayPast day;
  day.day = history::Span{.probe = kEvil, .from = kNow, .runs = {1, 0, 1, 0}};
  day.runs.entries = {*past_.run};
  day.moments.entries = {{.at = kNow - 1h,
                          .kind = "finding_opened",
                          .probe = kEvil,
                          .finding = past_.findings[0].finding}};
  for (auto const& text : {page(), day_page(facts_, kNow, day, kNow)}) {
    EXPECT_THAT(text, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(text, Not(HasSubstr("href=\"javascript")));
    EXPECT_THAT(text, HasSubstr("&lt;script&gt;"));
  }
}

TEST(OfADay, ThePageHasItsHoursRunsThatWereNotOkAndChanges) {
  ProbeFacts const facts{.name = "demo", .kind = &tuf::kDeclaration};
  SysTime const day{std::chrono::floor<std::chrono::days>(kNow)};
  DayPast past;
  past.day = history::Span{.probe = "demo", .from = day, .runs = {118, 0, 2, 0}, .missed = 3};
  past.hours = {{.probe = "demo", .from = day + 1h, .runs = {58, 0, 2, 0}, .total = 60s}};
  past.runs.entries = {entry(day + 1h + 1min), entry(day + 1h + 2min, Severity::critical)};
  past.moments.entries = {{.at = day + 1h + 2min,
                           .kind = "finding_opened",
                           .probe = "demo",
                           .finding = {.check = "expiry",
                                       .subject = "timestamp",
                                       .message = "expired",
                                       .severity = Severity::critical}},
                          {.at = day + 1h, .kind = history::kVersionSeen, .probe = "demo"}};
  auto const page = day_page(facts, day, past, kNow);
  EXPECT_THAT(page, HasSubstr("demo</a> on 2026-11-26"));
  EXPECT_THAT(page, HasSubstr("120 runs, 2 failing, 3 missed."));
  EXPECT_THAT(page, HasSubstr("/probe/demo/run/2026-11-26T01:02:00.000Z\">01:02:00 failing"));
  EXPECT_THAT(page,
              HasSubstr("<a href=\"/probe/demo/run/2026-11-26T01:01:00.000Z\">its first run"));
  EXPECT_THAT(page, HasSubstr("<td>opened: critical</td><td>expiry timestamp</td>"));
  EXPECT_THAT(page, HasSubstr("/probe/demo/day/2026-11-25\" rel=\"prev\""));
  EXPECT_THAT(page, Not(HasSubstr("rel=\"next\""))) << "that day is still to come";
  EXPECT_THAT(day_page(facts, day - 24h, {}, kNow), HasSubstr("No run of this day is known."));
}

}  // namespace
}  // namespace canary::daemon::page

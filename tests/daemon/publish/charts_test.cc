// SPDX-License-Identifier: Apache-2.0
// What the history says of a probe: its drawings, and the feed of its incidents.
#include "daemon/publish/page/charts.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/page/feed.h"

namespace canary::daemon::page {
namespace {

using namespace std::chrono_literals;
using history::Span;
using history::Time;
using probes::Severity;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::sys_days kToday{std::chrono::year{2026} / 11 / 26};
constexpr Time kNow{kToday + 2h};

Span day(int ago, std::array<std::int64_t, 4> runs) {
  return {.probe = "demo", .from = kToday - std::chrono::days{ago}, .runs = runs};
}

std::string path_of(Fields const& fields, std::string const& kind) {
  for (auto const& each : fields.lists().at("days")) {
    if (each.texts().at("class") == kind) return each.texts().at("path");
  }
  return "";
}

TEST(Days, HaveTheShareOfWhatFailedInColourAndNeverLessThanCanBeSeen) {
  Fields fields;
  // Three days ago one run of a thousand failed, two days ago nothing ran, today half failed.
  add_days(fields, {day(3, {999, 0, 1, 0}), day(0, {5, 0, 5, 0})}, kNow);
  EXPECT_EQ(path_of(fields, "failing"), "M688 0h6v5h-6zM712 0h6v20h-6z");
  EXPECT_EQ(path_of(fields, "ok"), "M688 5h6v35h-6zM712 20h6v20h-6z");
  EXPECT_EQ(path_of(fields, "missed"), "M696 0h6v40h-6zM704 0h6v40h-6z");
  EXPECT_EQ(fields.texts().at("days_text"), "2 days with failures, 2 days without a run");
  EXPECT_EQ(fields.texts().at("well"), "99.4 % of 1010 runs");
}

TEST(Days, AreRoundedDownSoThatOneFailureIsNotAHundredPerCent) {
  Fields fields;
  add_days(fields, {day(0, {99'999, 0, 0, 1})}, kNow);
  EXPECT_EQ(fields.texts().at("well"), "99.9 % of 100000 runs");
}

TEST(Days, OfAProbeWithoutAHistoryAreNotDrawn) {
  Fields fields;
  add_days(fields, {}, kNow);
  EXPECT_TRUE(fields.lists().at("days").empty());
  add_days(fields, {day(500, {1, 0, 0, 0})}, kNow);
  EXPECT_EQ(fields.texts().at("well"), "") << "longer ago than what is drawn";
}

TEST(Durations, AreDrawnByRunUntilThereAreHours) {
  Fields fields;
  std::vector<history::RunEntry> const runs{{.ended = kNow - 2min, .duration = 50ms},
                                            {.ended = kNow - 1min, .duration = 100ms}};
  add_durations(fields, {}, runs, kNow);
  EXPECT_EQ(fields.texts().at("mean"), "M0 50h1L360 0");
  EXPECT_EQ(fields.texts().at("longest"), "") << "of one run there is no longest";
  EXPECT_EQ(fields.texts().at("top"), "100 ms");
}

TEST(Durations, OfHoursHaveTheirMeanAndLongestAndAGapWhereNothingRan) {
  std::vector<Span> hours;
  for (int i = 0; i < 14; ++i) {
    int const ago = i < 7 ? 40 - i : 14 - i;
    hours.push_back({.probe = "demo",
                     .from = kNow - std::chrono::hours{ago},
                     .runs = {2, 0, 0, 0},
                     .total = 200ms,
                     .longest = 150ms});
  }
  Fields fields;
  add_durations(fields, hours, {}, kNow);
  auto const mean = fields.texts().at("mean");
  EXPECT_EQ(std::ranges::count(mean, 'M'), 2) << mean;
  EXPECT_THAT(mean, HasSubstr("M0 34h1"));
  EXPECT_THAT(fields.texts().at("longest"), HasSubstr("M0 0h1"));
  EXPECT_EQ(fields.texts().at("durations_text"), "the longest took 150 ms, the last 100 ms");
}

TEST(Durations, OfTooLittleOrNoTimeAtAllDrawNothingOrALine) {
  Fields fields;
  add_durations(fields, {}, {{.ended = kNow}}, kNow);
  EXPECT_EQ(fields.texts().at("mean"), "");
  add_durations(fields, {}, {{.ended = kNow}, {.ended = kNow}}, kNow);
  EXPECT_EQ(fields.texts().at("mean"), "M0 100h1L0 100");
}

history::Incident incident(std::string probe, std::string message) {
  history::Incident made{.id = 1,
                         .probe = std::move(probe),
                         .url = "https://host/",
                         .opened = kNow - 3h,
                         .closed = std::nullopt,
                         .worst = Severity::critical,
                         .runs = 2};
  made.causes.push_back({.finding = {.check = "expiry",
                                     .subject = "timestamp",
                                     .message = std::move(message),
                                     .severity = Severity::critical},
                         .first = kNow - 2h});
  return made;
}

TEST(Feed, HasEachIncidentWithWhatIsToBeSeenAndWhenItChangedLast) {
  auto over = incident("over", "expired");
  over.closed = kNow - 1h;
  auto const feed = incidents_feed({.entries = {over, incident("open", "expired")}},
                                   "https://m.example/c", "", kNow);
  EXPECT_THAT(feed, HasSubstr("<id>https://m.example/c/incidents.atom</id>"));
  EXPECT_THAT(feed, HasSubstr("<updated>2026-11-26T01:00:00.000Z</updated><link rel=\"self\""));
  EXPECT_LT(feed.find("<title>over: over after 2 h</title>"),
            feed.find("<title>open: failing</title>"));
  EXPECT_THAT(feed, HasSubstr("<id>urn:canaryd:incident:open:2026-11-25T23:00:00.000Z</id>"));
  EXPECT_THAT(feed, HasSubstr("<updated>2026-11-26T00:00:00.000Z</updated>"
                              "<link href=\"https://m.example/c/probe/open\"/>"))
      << "a further cause is a change";
  EXPECT_THAT(feed, HasSubstr("expiry timestamp: expired\n"));
}

TEST(Feed, WithoutIncidentsIsOneAllTheSame) {
  auto const feed = incidents_feed({}, "http://h", "a b", kNow);
  EXPECT_THAT(feed, HasSubstr("<title>canaryd: incidents of a b</title>"));
  EXPECT_THAT(feed, HasSubstr("http://h/incidents.atom?probe=a%20b"));
  EXPECT_THAT(feed, HasSubstr("<updated>2026-11-26T02:00:00.000Z</updated>"));
  EXPECT_THAT(feed, Not(HasSubstr("<entry>")));
}

TEST(Feed, OfOthersTextIsTextAndNothingThatXmlForbids) {
  auto const feed = incidents_feed(
      {.entries = {incident("<b>&\"", "</content><script>]]>\xef\xbf\xbe\xef\xbf\xbf")}},
      "http://h", "<b>", kNow);
  EXPECT_THAT(feed, HasSubstr("&lt;/content&gt;&lt;script&gt;]]&gt;\xef\xbf\xbd\xef\xbf\xbd"));
  EXPECT_THAT(feed, HasSubstr("<title>&lt;b&gt;&amp;&quot;: failing</title>"));
  EXPECT_THAT(feed, Not(HasSubstr("<b>")));
}

}  // namespace
}  // namespace canary::daemon::page

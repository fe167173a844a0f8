// SPDX-License-Identifier: Apache-2.0
// The pages for people: what they say, in which order, and that text of others stays text.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/page/bars.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/incidents.h"
#include "daemon/publish/page/overview.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/runbook.h"
#include "daemon/publish/page/templates.h"
#include "tests/daemon/publish/page_fixture.h"

namespace canary::daemon::page {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Templates, AreRight) {
  for (auto const text :
       {templates::kFrame, templates::kOverview, templates::kIncidents, templates::kIncidentCards,
        templates::kProbe, templates::kHang, templates::kHangs, templates::kDump,
        templates::kConfig, templates::kRun, templates::kDay}) {
    EXPECT_TRUE(is_template(text));
    EXPECT_THAT(std::string{text}, Not(HasSubstr("{{{"))) << "everything is escaped";
    EXPECT_THAT(std::string{text}, Not(HasSubstr("{{&"))) << "everything is escaped";
    EXPECT_THAT(std::string{text}, Not(HasSubstr("style="))) << "the policy forbids it";
    EXPECT_THAT(std::string{text}, Not(HasSubstr("onclick"))) << "the policy forbids it";
  }
}

TEST_F(Page, SaysInOneSentenceHowThingsAreTheWorstFirst) {
  EXPECT_THAT(overview(), HasSubstr("No probe is configured: nothing is watched"));
  EXPECT_THAT(overview(), HasSubstr("Nothing is watched yet"));
  EXPECT_THAT(overview(), HasSubstr("canaryd config check /etc/canaryd/canaryd.yml"));
  run(add("a"), {});
  EXPECT_THAT(overview(), Not(HasSubstr("Nothing is watched yet")));
  EXPECT_THAT(overview(), HasSubstr("The one probe is well"));
  run(add("b"), {finding(Severity::warning)});
  EXPECT_THAT(overview(), HasSubstr("Nothing is broken; 1 of 2 probes has a warning"));
  run(add("c"), {finding(Severity::unknown)});
  run(add("d"), {finding(Severity::critical)});
  EXPECT_THAT(overview(), HasSubstr("1 of 4 probes found something bad, 1 could not tell"));
}

TEST_F(Page, HasACardWithEveryFindingForWhoeverNeedsSomebody) {
  auto& probe = add("demo");
  run(probe, {finding(Severity::critical), finding(Severity::warning, "another thing")},
      kNow - 22min);
  run(probe, {finding(Severity::critical), finding(Severity::warning, "another thing")});
  auto const page = overview();

  EXPECT_THAT(page, HasSubstr("Needs somebody"));
  EXPECT_THAT(page, HasSubstr("for 22 min, since 01:38:00 UTC · 2 runs in a row"));
  EXPECT_THAT(page, HasSubstr("expired at noon"));
  EXPECT_THAT(page, HasSubstr("another thing"));
  EXPECT_THAT(page, HasSubstr("https://host/timestamp.json"));
  EXPECT_THAT(page, HasSubstr("Have it signed and published anew"));
  EXPECT_THAT(page, HasSubstr("canaryd check --config /etc/canaryd/canaryd.yml demo"));
  EXPECT_THAT(page,
              HasSubstr("alert <a href=\"/runbook#TufMetadataExpired\">TufMetadataExpired</a>"));
}

TEST_F(Page, TheHangComesBeforeEverythingElse) {
  run(add("demo"), {});
  own_.turns = false;
  own_.why = "the loop has not turned for 15 s";
  own_.culprit = "demo";
  own_.verdict = "blocking_call";
  own_.level = "hung";
  own_.beat_age_s = 15;
  auto const page = overview();

  auto const hang = page.find("canaryd itself hangs: the loop has not turned for 15 s");
  ASSERT_NE(hang, std::string::npos);
  EXPECT_LT(hang, page.find("The one probe is well"));
  EXPECT_THAT(page, HasSubstr("class=\"frozen\""));
  EXPECT_THAT(page, HasSubstr("blocking_call"));
  EXPECT_THAT(page, HasSubstr("As of 01:59:45 UTC")) << "nothing is newer than its last beat";
  own_ = {};
  EXPECT_THAT(overview(), Not(HasSubstr("canaryd itself hangs")));
}

TEST_F(Page, AHealedProbeIsNotShownBesideItsOldError) {
  auto& probe = add("demo");
  run(probe, {finding(Severity::critical)}, kNow - 1min);
  run(probe, {});
  EXPECT_THAT(overview(), Not(HasSubstr("expired at noon")));
}

TEST_F(Page, TellsStaleStalledRunningAndPausedApart) {
  daemon_.started = kNow - 1min;
  run(add("old"), {}, kNow - 1h);
  run(add("stuck"), {});
  own_.stalled = {"stuck"};
  add("new");
  auto facts = add("off").row().facts;
  facts.enabled = false;
  histories_.back().reconfigured(facts);
  auto const page = overview();

  EXPECT_THAT(page, HasSubstr("No result for 1 h, although one is due every 1 min"));
  EXPECT_THAT(page, HasSubstr("makes no progress"));
  EXPECT_THAT(page, HasSubstr("/runbook#CanarydProbeStalled"));
  EXPECT_THAT(page, HasSubstr("/runbook#CanarydProbeStale\""));
  for (auto const* const count :
       {"1 stalled", "1 stale", "1 running", "1 paused", "0 failing", "0 ok"}) {
    EXPECT_THAT(page, HasSubstr(count));
  }
}

TEST_F(Page, AFailingProbeThatIsStaleStaysFailing) {
  run(add("demo"), {finding(Severity::critical)}, kNow - 2h);
  EXPECT_THAT(overview(), HasSubstr("1 failing"));
}

TEST_F(Page, ShowsOneStateOnlyWhereAskedTo) {
  run(add("good"), {});
  run(add("bad"), {finding(Severity::critical)});
  auto const page = overview({.state = "ok"});
  auto const table = page.substr(page.find("<h2>Repositories"));
  EXPECT_THAT(table, HasSubstr("/probe/good"));
  EXPECT_THAT(table, Not(HasSubstr("/probe/bad")));
}

TEST_F(Page, OfTenThousandProbesIsShort) {
  for (int i = 0; i < 10'000; ++i) run(add("p" + std::to_string(i)), {});
  auto const page = overview();
  EXPECT_LT(page.size(), 1'000'000);
  EXPECT_THAT(page, HasSubstr("9980 healthy probes"));
  auto const filtered = overview({.state = "ok", .page = 2});
  EXPECT_LT(filtered.size(), 1'000'000);
  EXPECT_THAT(filtered, HasSubstr("/?state=ok&amp;page=3"));
}

TEST_F(Page, HasTheRunsInFlightWithWhatTheyWaitFor) {
  EXPECT_THAT(overview(), Not(HasSubstr("in flight")));
  RunInFlight::Frame const outer{
      .name = "tuf.refresh", .place = "probes/tuf/refresh.cc:7", .age = 4s};
  RunInFlight::Frame const inner{
      .name = "http.first_byte(a<b)", .place = "probes/fetch/client.cc:93", .age = 3s, .depth = 2};
  own_.runs = {{.probe = "de/mo", .age = 4s, .stalled = true, .frames = {outer, inner}}};
  auto const page = overview();

  EXPECT_THAT(page, HasSubstr("<summary>1 run in flight</summary>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/probe/de%2Fmo\">de/mo</a> for 4 s <strong"));
  EXPECT_THAT(page, HasSubstr("  tuf.refresh  4 s  probes/tuf/refresh.cc:7\n"
                              "    http.first_byte(a&lt;b)  3 s  probes/fetch/client.cc:93\n"));
  own_.turns = false;
  EXPECT_THAT(overview(), HasSubstr("<details id=\"in-flight\" open>")) << "then it is looked for";
  own_.runs = std::vector<RunInFlight>(30, {.probe = "demo", .age = 1s});
  EXPECT_THAT(overview(), HasSubstr("and 10 more"));
}

TEST_F(Page, TextOfOthersStaysText) {
  std::string const evil = "<script>alert(1)</script>\"'{{version}}&";
  auto hostile = finding(Severity::critical, evil);
  hostile.subject = evil;
  hostile.evidence = evil;
  hostile.url = "javascript:alert(1)//" + evil;
  run(add("demo", evil), {hostile});
  daemon_.reload_successful = false;
  daemon_.reload_error = evil;
  own_.last_stall = own_.previous_run = evil;
  past_.trouble = evil;
  past_.incidents.entries = {{.id = 1, .probe = evil, .url = evil, .opened = kNow - 1h, .runs = 1}};
  past_.incidents.entries[0].causes.push_back(
      {.finding = {.check = evil, .subject = evil, .message = evil, .evidence = evil, .url = evil},
       .first = kNow - 1h});
  auto const one = of_probe(histories_.front());
  for (auto const& page : {overview(), one}) {
    EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(page, Not(HasSubstr("href=\"javascript")));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
    EXPECT_THAT(page, HasSubstr("{{version}}"));
  }
}

TEST_F(Page, AProbeInMaintenanceSaysSoAndStaysFailing) {
  ProbeFacts facts{.name = "moved", .kind = &tuf::kDeclaration, .interval = 60s, .timeout = 10s};
  facts.maintenance = {
      {.when = config::Stretch{std::chrono::floor<std::chrono::seconds>(kNow - 1h),
                               std::chrono::floor<std::chrono::seconds>(kNow + 1h)},
       .probes = {},
       .reason = "storage <moves>"}};
  auto& moved = histories_.emplace_back(std::move(facts));
  run(moved, {finding(Severity::critical)});
  for (auto const& page : {overview(), of_probe(moved)}) {
    EXPECT_THAT(page, HasSubstr("in maintenance until "));
    EXPECT_THAT(page, HasSubstr("storage &lt;moves&gt;"));
    EXPECT_THAT(page, HasSubstr("failing"));
  }
}

TEST(Bars, HaveAPathForEachKindAndWordsForWhoDoesNotSee) {
  Fields fields;
  RecentRuns recent;
  for (char const run : {'0', '2', RecentRuns::kMissed, '0'}) recent.add(run);
  add_bars(fields, recent);
  auto const& bars = fields.lists().at("bars");
  ASSERT_EQ(bars.size(), 3);
  EXPECT_EQ(bars[0].texts().at("class"), "ok");
  EXPECT_EQ(bars[0].texts().at("path"), "M336 0h4v16h-4zM354 0h4v16h-4z") << "the newest is right";
  EXPECT_EQ(fields.texts().at("bars_text"), "2 ok, 1 failing, 1 missed of the last 4 runs");
}

TEST(Bars, OfDeadlinesAreFinerNearNow) {
  EXPECT_EQ(deadline_width(-3), 1);
  EXPECT_EQ(deadline_width(4'000), 100);
  EXPECT_LT(deadline_width(1), deadline_width(7));
  EXPECT_GT(deadline_width(7) - deadline_width(1), deadline_width(300) - deadline_width(200));
}

TEST(Humane, NumbersHaveOneUnit) {
  EXPECT_EQ(span(8ms), "8 ms");
  EXPECT_EQ(span(61s), "1 min");
  EXPECT_EQ(span(24h * 4 + 5h), "4 d");
  EXPECT_EQ(distance(kNow - 5s, kNow), "5 s ago");
  EXPECT_EQ(distance(kNow + 14s, kNow), "in 14 s");
  EXPECT_EQ(clock(kNow - 1min, kNow), "01:59:00 UTC");
  EXPECT_EQ(clock(kNow - 24h, kNow), "2026-11-25 02:00:00 UTC");
}

TEST(Incidents, AreToldTheOpenOnesFirstWithCausesAndLength) {
  history::Incident over{.id = 1,
                         .probe = "over",
                         .url = "https://host/",
                         .opened = kNow - 3h,
                         .closed = kNow - 1h,
                         .worst = Severity::critical,
                         .runs = 12};
  over.causes.push_back({.finding = {.check = "expiry",
                                     .subject = "timestamp",
                                     .reason = "expired",
                                     .message = "<b>expired</b>",
                                     .severity = Severity::critical},
                         .first = kNow - 2h,
                         .ended = kNow - 1h});
  history::Incident const open{
      .id = 2, .probe = "open", .opened = kNow - 4h, .worst = Severity::unknown, .runs = 1};
  history::Query const query{.since = kNow - 24h, .until = kNow};
  auto const page = incidents_page({.entries = {open, over}}, query, "", kNow);

  EXPECT_THAT(page, HasSubstr("2 incidents, 1 not over"));
  EXPECT_LT(page.find("/probe/open"), page.find("/probe/over"));
  EXPECT_THAT(page, HasSubstr("until now, 4 h; 1 failed run"));
  EXPECT_THAT(page, HasSubstr("2 h; 12 failed runs"));
  EXPECT_THAT(page, HasSubstr("timestamp: &lt;b&gt;expired"));
  EXPECT_THAT(incidents_page({}, query, "the disk stands still", kNow),
              HasSubstr("the disk stands still"));
}

}  // namespace
}  // namespace canary::daemon::page

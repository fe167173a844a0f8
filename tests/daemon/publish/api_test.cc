// SPDX-License-Identifier: Apache-2.0
// The JSON of the API, readiness and staleness, and the landing page.
#include "daemon/publish/api.h"

#include <chrono>
#include <deque>
#include <string>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/duration.h"
#include "daemon/results/history.h"
#include "tests/daemon/results/a_role.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Report;
using probes::Severity;
using ::testing::HasSubstr;
namespace json = boost::json;

SysTime at(std::chrono::milliseconds since_start) {
  return SysTime{std::chrono::sys_days{std::chrono::January / 2 / 2026}} + since_start;
}

Report report(Severity severity, std::string message) {
  Report result;
  result.findings.push_back({"expiry", "targets", severity,
                             severity == Severity::ok ? Reason::none : Reason::expired,
                             std::move(message), "tuf 5.6.5"});
  result.measurements.things = {a_role(
      "targets", 7, {std::chrono::sys_days{std::chrono::March / 1 / 2026}, 14 * 24h, 72h}, 999)};
  return result;
}

class Api : public ::testing::Test {
 protected:
  Api() {
    daemon_.version = "1.2.3";
    daemon_.started = at(0s);
    daemon_.last_reload_success = at(0s);
  }
  History& add(std::string name, bool enabled = true) {
    return histories_.emplace_back(ProbeFacts{.name = std::move(name),
                                              .repository = "repo",
                                              .kind = &tuf::kDeclaration,
                                              .enabled = enabled,
                                              .interval = 60s,
                                              .timeout = 30s});
  }
  Snapshot snapshot() const {
    Snapshot result;
    result.daemon = &daemon_;
    for (auto const& history : histories_) result.probes.push_back(&history.row());
    return result;
  }
  json::object probe(std::string const& name) const {
    return json::parse(probe_json(snapshot(), name, at(100s)).value_or("null")).as_object();
  }
  json::object status() const {
    return json::parse(status_json(snapshot(), {false, "the loop hangs"}, at(100s))).as_object();
  }

  DaemonFacts daemon_;
  std::deque<History> histories_;
};

TEST_F(Api, ListsProbesInOrderWithTheirState) {
  add("b").finished(at(1s), 1ms, report(Severity::ok, "fine"));
  add("a");
  add("c", false);
  auto const root = json::parse(probes_json(snapshot(), at(100s))).as_object();
  auto const& probes = root.at("probes").as_array();

  EXPECT_EQ(root.at("as_of").as_string(), "2026-01-02T00:01:40.000Z");
  ASSERT_EQ(probes.size(), 3u);
  EXPECT_EQ(probes[0].at("name").as_string(), "b");
  EXPECT_EQ(probes[0].at("state").as_string(), "ok");
  EXPECT_EQ(probes[1].at("state").as_string(), "pending");
  EXPECT_TRUE(probes[1].at("last_run").is_null());
  EXPECT_EQ(probes[2].at("state").as_string(), "paused");
}

TEST_F(Api, ShowsEveryFindingAndMeasurementOfOneProbe) {
  auto& history = add("demo");
  history.finished(at(1s), 1500ms, report(Severity::critical, "targets expired"));
  auto const shown = probe("demo");

  auto const& finding = shown.at("findings").as_array().at(0);
  EXPECT_EQ(finding.at("check").as_string(), "expiry");
  EXPECT_EQ(finding.at("subject").as_string(), "targets");
  EXPECT_EQ(finding.at("severity").as_string(), "critical");
  EXPECT_EQ(finding.at("reason").as_string(), "expired");
  EXPECT_EQ(finding.at("message").as_string(), "targets expired");
  EXPECT_EQ(finding.at("evidence").as_string(), "tuf 5.6.5");
  auto const& role = shown.at("measurements").at("roles").at(0);
  EXPECT_EQ(role.at("version").as_int64(), 7);
  EXPECT_EQ(role.at("expires").as_string(), "2026-03-01T00:00:00Z");
  EXPECT_EQ(shown.at("last_duration_seconds").as_double(), 1.5);
  EXPECT_EQ(shown.at("last_failure").at("reason").as_string(), "expired");
  EXPECT_EQ(shown.at("counters").at("failures").at("expired").to_number<int>(), 1);
}

TEST_F(Api, ShowsWhatIsAcceptedBesideItsSeverity) {
  auto known = report(Severity::critical, "targets expired");
  known.findings[0].accepted =
      probes::Acceptance{.because = "it is being retired",
                         .until = std::chrono::sys_days{std::chrono::year{2027} / 3 / 31}};
  add("demo").finished(at(1s), 1500ms, known);
  auto const shown = probe("demo");
  EXPECT_EQ(shown.at("state").as_string(), "ok");
  EXPECT_EQ(shown.at("accepted").to_number<int>(), 1);
  auto const& finding = shown.at("findings").at(0);
  EXPECT_EQ(finding.at("severity").as_string(), "critical");
  EXPECT_EQ(finding.at("accepted").at("because").as_string(), "it is being retired");
  EXPECT_EQ(finding.at("accepted").at("until").as_string(), "2027-03-31T00:00:00Z");
  add("other").finished(at(1s), 1500ms, report(Severity::critical, "targets expired"));
  EXPECT_EQ(probe("other").at("accepted").to_number<int>(), 0);
  EXPECT_TRUE(probe("other").at("findings").at(0).at("accepted").is_null());
}

TEST_F(Api, SaysWhereTheLastFailureWas) {
  auto& history = add("demo");
  auto facts = history.row().facts;
  facts.url = "https://h/metadata";
  history.reconfigured(facts);
  history.finished(at(1s), 1ms, report(Severity::critical, "expired"));
  history.finished(at(2s), 1ms, report(Severity::ok, "fine"));
  auto const shown = probe("demo");
  auto const& failure = shown.at("last_failure");
  EXPECT_EQ(failure.at("check").as_string(), "expiry");
  EXPECT_EQ(failure.at("subject").as_string(), "targets");
  EXPECT_EQ(failure.at("url").as_string(), "https://h/metadata");
  EXPECT_EQ(failure.at("sentence").as_string(), "targets: expired [tuf 5.6.5]");
}

TEST_F(Api, TellsMaintenanceWithItsReasonAndEnd) {
  add("b");
  ProbeFacts facts{.name = "a", .kind = &tuf::kDeclaration, .interval = 60s, .timeout = 30s};
  facts.maintenance = {{.when = config::Stretch{std::chrono::floor<std::chrono::seconds>(at(0s)),
                                                std::chrono::floor<std::chrono::seconds>(at(200s))},
                        .probes = {},
                        .reason = "storage moves"}};
  histories_.emplace_back(std::move(facts));
  auto const announced = probe("a").at("maintenance");
  EXPECT_EQ(announced.at("reason"), "storage moves");
  EXPECT_EQ(announced.at("until").as_string(),
            config::to_text(std::chrono::floor<std::chrono::seconds>(at(200s))));
  EXPECT_TRUE(probe("b").at("maintenance").is_null());
}

TEST_F(Api, KeepsWhatIsKnownWhenARunFails) {
  auto& history = add("demo");
  history.finished(at(1s), 1ms, report(Severity::ok, "fine"));
  history.finished(at(2s), 1ms, Report{});
  auto const shown = probe("demo");
  auto const& role = shown.at("known").at("roles").at(0);
  EXPECT_EQ(role.at("version").as_int64(), 7);
  EXPECT_EQ(role.at("expires").as_string(), "2026-03-01T00:00:00Z");
  EXPECT_EQ(role.at("seen").as_string(), "2026-01-02T00:00:01.000Z");
}

TEST_F(Api, SaysWhatEndsFirstOfRolesAndCertificates) {
  auto& history = add("demo");
  EXPECT_TRUE(probe("demo").at("ends_next").is_null());
  auto ends = report(Severity::ok, "fine");
  ends.measurements.things.push_back(
      a_role("root", 1, {std::chrono::sys_days{std::chrono::February / 1 / 2026}, 14 * 24h, 72h}));
  history.finished(at(1s), 1ms, ends);
  auto shown = probe("demo");
  EXPECT_EQ(shown.at("ends_next").at("what").as_string(), "root");
  EXPECT_EQ(shown.at("ends_next").at("at").as_string(), "2026-02-01T00:00:00Z");
  EXPECT_EQ(shown.at("ends").at(1).at("what").as_string(), "targets");
}

TEST_F(Api, StaysJsonWhateverAServerSays) {
  std::string hostile = "\"}]\n\x1B[2J </script> ";
  for (int c = 0; c < 256; ++c) hostile += static_cast<char>(c);
  add("demo").finished(at(1s), 1ms, report(Severity::critical, hostile));
  EXPECT_THAT(std::string{probe("demo").at("last_failure").at("message").as_string()},
              HasSubstr("</script>"));
}

TEST_F(Api, KnowsNoProbeThatIsNotConfigured) {
  EXPECT_EQ(probe_json(snapshot(), "nobody", at(0s)), std::nullopt);
}

TEST_F(Api, CountsStatesAndNamesTheWorst) {
  add("a").finished(at(90s), 1ms, report(Severity::ok, ""));
  add("b").finished(at(90s), 1ms, report(Severity::unknown, ""));
  add("c").finished(at(90s), 1ms, report(Severity::warning, ""));
  add("d");
  add("e", false);
  auto const shown = status();

  EXPECT_EQ(shown.at("status").as_string(), "unknown");
  EXPECT_EQ(shown.at("probes").at("ok").to_number<int>(), 1);
  EXPECT_EQ(shown.at("probes").at("unknown").to_number<int>(), 1);
  EXPECT_EQ(shown.at("probes").at("pending").to_number<int>(), 1);
  EXPECT_EQ(shown.at("probes").at("paused").to_number<int>(), 1);
  EXPECT_EQ(shown.at("probes").at("total").to_number<int>(), 5);
  EXPECT_FALSE(shown.at("healthy").at("ok").as_bool());
  EXPECT_EQ(shown.at("healthy").at("reason").as_string(), "the loop hangs");
  EXPECT_EQ(shown.at("daemon").at("uptime_seconds").as_double(), 100.0);
}

TEST_F(Api, SaysWhichShareIsWatchedAndFromWhere) {
  add("a");
  auto shown = json::parse(probes_json(snapshot(), at(0s)));
  EXPECT_TRUE(shown.at("shard").is_null());
  EXPECT_TRUE(shown.at("vantage").is_null());
  daemon_.shard = {.index = 1, .count = 3};
  daemon_.elsewhere = 7;
  daemon_.vantage = "fra";
  shown = json::parse(probes_json(snapshot(), at(0s)));
  for (auto const& of : {shown, status().at("daemon")}) {
    EXPECT_EQ(of.at("shard").as_string(), "1/3");
    EXPECT_EQ(of.at("probes_elsewhere").to_number<int>(), 7);
    EXPECT_EQ(of.at("vantage").as_string(), "fra");
  }
}

TEST_F(Api, SaysHowTheSourcesOfProbesFare) {
  daemon_.sources = {{.name = "fleet",
                      .from = "https://a.example/list",
                      .probes = 12,
                      .looked = true,
                      .successful = false,
                      .listed = true,
                      .confirmed = at(-60s),
                      .failing_since = at(-30s),
                      .error = "it answers 500"},
                     {.name = "new", .from = "/lists/*.yml"}};
  auto const sources = status().at("daemon").at("discovery").as_array();
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[0].at("name").as_string(), "fleet");
  EXPECT_EQ(sources[0].at("probes").to_number<int>(), 12);
  EXPECT_FALSE(sources[0].at("successful").as_bool());
  EXPECT_EQ(sources[0].at("error").as_string(), "it answers 500");
  EXPECT_TRUE(sources[0].at("listed").as_bool());
  EXPECT_FALSE(sources[0].at("confirmed").is_null());
  EXPECT_TRUE(sources[1].at("successful").is_null()) << "nobody has looked yet";
  EXPECT_FALSE(sources[1].at("listed").as_bool());
  EXPECT_TRUE(sources[1].at("confirmed").is_null());
}

TEST_F(Api, IsPendingWhileNothingIsKnown) {
  add("a");
  EXPECT_EQ(status().at("status").as_string(), "pending");
}

TEST_F(Api, CallsAProbeStaleAfterThreeIntervalsAndATimeout) {
  auto& history = add("demo");
  history.finished(at(10s), 1ms, report(Severity::ok, ""));
  EXPECT_FALSE(is_stale(history.row(), at(0s), at(10s + 210s)));
  EXPECT_TRUE(is_stale(history.row(), at(0s), at(10s + 210s + 1ms)));
}

TEST_F(Api, CallsAProbeStaleThatNeverRanButNotAPausedOne) {
  EXPECT_TRUE(is_stale(add("never").row(), at(0s), at(211s)));
  EXPECT_FALSE(is_stale(add("never").row(), at(100s), at(211s)));
  EXPECT_FALSE(is_stale(add("paused", false).row(), at(0s), at(1000s)));
}

TEST_F(Api, IsReadyOnceEveryProbeHasBegunOrIsNotDue) {
  daemon_.last_reload_success.reset();
  EXPECT_FALSE(readiness(snapshot(), at(0s)).ok);

  daemon_.last_reload_success = at(0s);
  auto& history = add("demo");
  add("paused", false);
  EXPECT_THAT(readiness(snapshot(), at(0s)).reason, HasSubstr("demo is not scheduled"));
  history.scheduled(at(10s));
  EXPECT_TRUE(readiness(snapshot(), at(10s)).ok);
  EXPECT_THAT(readiness(snapshot(), at(11s)).reason,
              HasSubstr("demo was due at 2026-01-02T00:00:10"));
  history.started(at(12s));
  EXPECT_TRUE(readiness(snapshot(), at(13s)).ok);
}

TEST_F(Api, WritesInstantsBeforeTheEpochAndFarAhead) {
  EXPECT_EQ(rfc3339(SysTime{-1ms}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339(SysTime{std::chrono::sys_days{std::chrono::December / 31 / 9999}}),
            "9999-12-31T00:00:00.000Z");
}

}  // namespace
}  // namespace canary::daemon

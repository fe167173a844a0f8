// SPDX-License-Identifier: Apache-2.0
// What `canaryd status` prints of what the API says.
#include "daemon/cli/status_text.h"

#include <string>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

namespace canary::daemon {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string probe(std::string const& name, std::string const& state, std::string const& more = {}) {
  return R"({"name":")" + name + R"(","state":")" + state +
         R"(","stale":false,"accepted":0,"since":"2026-11-24T00:00:30.250Z",)"
         R"("last_run":"2026-11-24T11:59:56.000Z","last_failure":null,"ends_next":)" +
         (more.empty() ? R"({"what":"timestamp","at":"2026-11-27T22:00:00Z"})" : more) + "}";
}

std::string shown(std::string const& probes, bool colour = false) {
  return probes_text(
      boost::json::parse(R"({"as_of":"2026-11-24T12:00:00.000Z","probes":[)" + probes + "]}"),
      colour);
}

TEST(StatusText, ShowsTheWorstFirstInColumnsWithSpans) {
  EXPECT_EQ(shown(probe("b", "ok") + "," + probe("long-name", "critical") + "," +
                  probe("c", "unknown", "null")),
            "STATE           PROBE      FOR     LAST RUN  ENDS NEXT\n"
            "critical        long-name  11h59m  4s ago    timestamp in 3d10h\n"
            "could not tell  c          11h59m  4s ago    -\n"
            "ok              b          11h59m  4s ago    timestamp in 3d10h\n");
}

TEST(StatusText, SaysWhichShareIsWatchedAndFromWhere) {
  auto const of = [](std::string const& probes) {
    return probes_text(boost::json::parse(R"({"as_of":"2026-11-24T12:00:00.000Z","shard":"1/3",)"
                                          R"("probes_elsewhere":7,"vantage":"fra","probes":[)" +
                                          probes + "]}"),
                       false);
  };
  EXPECT_THAT(of(probe("a", "ok")),
              StartsWith("shard 1/3, 7 probes are left to others\nlooks from fra\nSTATE  "));
  EXPECT_THAT(of(""), EndsWith("\nnone falls to it: nothing is watched\n"));
}

TEST(StatusText, SaysHowTheSourcesOfProbesFare) {
  auto const text = probes_text(
      boost::json::parse(
          R"({"as_of":"2026-11-24T12:00:00.000Z","discovery":[)"
          R"({"name":"fleet","probes":12,"listed":true,"confirmed":"2026-11-24T11:59:20Z",)"
          R"("failing_since":null,"error":""},)"
          R"({"name":"old","probes":3,"listed":true,"confirmed":null,)"
          R"("failing_since":null,"error":""},)"
          R"({"name":"ahead","probes":4,"listed":true,"confirmed":"2026-11-24T12:00:01Z",)"
          R"("failing_since":null,"error":""},)"
          R"({"name":"new","probes":0,"listed":false,"confirmed":null,)"
          R"("failing_since":"2026-11-24T11:00:00Z","error":"it answers 500"}],"probes":[]})"),
      false);
  EXPECT_EQ(text,
            "discovery fleet: 12 probes, its list was confirmed 40s ago\n"
            "discovery old: 3 probes, its list is of unknown age\n"
            "discovery ahead: 4 probes, its list is of unknown age\n"
            "discovery new: 0 probes, its list was never had\n"
            "    fails since 2026-11-24T11:00:00Z: it answers 500\n"
            "no probe is configured or listed: nothing is watched\n");
}

TEST(StatusText, SaysWhatEndedAndWhenNothingWasLookedAt) {
  EXPECT_THAT(shown(probe("a", "critical", R"({"what":"root","at":"2026-11-20T12:00:00Z"})")),
              HasSubstr("root ended 4d ago"));
  auto const never = R"({"name":"n","state":"pending","stale":true,"accepted":2,"since":null,)"
                     R"("last_run":null,"last_failure":null,"ends_next":null})";
  EXPECT_THAT(shown(never), HasSubstr("pending  n (stale) (2 accepted)  -    never"));
  EXPECT_EQ(shown(""), "no probe is configured: nothing is watched\n");
}

TEST(StatusText, TellsTheReasonOfAFailureAndThatAnOldOneIsOver) {
  std::string text = probe("a", "critical");
  std::string const none = R"("last_failure":null)";
  std::string const one =
      R"("last_failure":{"at":"2026-11-24T09:00:00.000Z","reason":"expired",)"
      R"("sentence":"timestamp: expired 2026-11-24","url":"https://r.example/timestamp.json"})";
  text.replace(text.find(none), none.size(), one);
  EXPECT_THAT(shown(text), HasSubstr("\n    expired: timestamp: expired 2026-11-24, "
                                     "https://r.example/timestamp.json\n"));
  text.replace(text.find("critical"), 8, "ok");
  EXPECT_THAT(shown(text), HasSubstr("\n    last failure 3h ago, expired: "));
}

TEST(StatusText, MarksMaintenanceBesideTheState) {
  std::string text = probe("a", "critical");
  text.insert(1, R"("maintenance":{"until":"2026-11-24T13:00:00Z","reason":"storage moves"},)");
  EXPECT_THAT(shown(text), HasSubstr("critical  a (maintenance)  "));
}

TEST(StatusText, ColoursTheStateAlone) {
  auto const text = shown(probe("a", "critical"), true);
  EXPECT_THAT(text, HasSubstr("\033[31mcritical\033[0m  a"));
  EXPECT_THAT(shown(probe("a", "critical")), Not(HasSubstr("\033")));
}

TEST(StatusText, OfOneProbeHasItsFindingsAndAllThatEnds) {
  std::string one = probe("a", "warning");
  one.pop_back();
  one += R"(,"as_of":"2026-11-24T12:00:00.000Z","repo":"r","url":"https://r.example",)"
         R"("next_run":"2026-11-24T12:00:30.000Z","findings":[)"
         R"({"severity":"ok","check":"walk","subject":"root","message":"fine"},)"
         R"({"severity":"warning","check":"expiry","subject":"root","message":"soon"}],)"
         R"("trust_dropped":{"at":"2026-11-24T11:00:00.000Z","reason":"restored"},)"
         R"("ends":[{"what":"root","at":"2026-12-01T00:00:00Z"}]})";
  auto const text = probe_text(boost::json::parse(one), false);
  EXPECT_THAT(text, HasSubstr("repository r, https://r.example; next run in 30s\n"));
  EXPECT_THAT(text, HasSubstr("  warning  expiry  root: soon\n"));
  EXPECT_THAT(text, HasSubstr("  root in 6d12h\n"));
  EXPECT_THAT(text, HasSubstr("what was trusted of it was dropped 1h ago: restored\n"));
  EXPECT_THAT(text, Not(HasSubstr("fine")));
}

}  // namespace
}  // namespace canary::daemon

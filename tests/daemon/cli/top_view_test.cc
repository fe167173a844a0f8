// SPDX-License-Identifier: Apache-2.0
// What `canaryd top` makes of what the API says.
#include "daemon/cli/top_view.h"

#include <clocale>
#include <string>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

namespace canary::daemon {
namespace {

using ::testing::HasSubstr;

constexpr char kHangs[] = R"({"executor":{"ok":true,"reason":"","beat_age_seconds":0.04},
  "incidents":[]})";
constexpr char kExecutor[] = R"({"loop":{"lag_history":[
    {"ended_seconds_ago":0,"beats":9,"worst_seconds":0.002},
    {"ended_seconds_ago":60,"beats":0,"worst_seconds":null},
    {"ended_seconds_ago":120,"beats":9,"worst_seconds":12.5}]},
  "runs":[{"name":"beat","kind":"service","age_seconds":99,"stalled":false,"rows":[]},
    {"name":"demo","kind":"probe","age_seconds":1.5,"stalled":false,"rows":[
      {"name":"tuf.root","detail":"2","depth":1,"age_seconds":1.5,
       "place":{"file":"probes/tuf/probe.cc","line":30}},
      {"name":"http.read","detail":null,"depth":2,"age_seconds":0.3,"place":null}]}]})";

std::string probe(std::string const& name, std::string const& state) {
  return R"({"name":")" + name + R"(","state":")" + state +
         R"(","stale":false,"accepted":0,"since":null,"last_run":null,"last_failure":null,)"
         R"("ends_next":null})";
}

TopAnswers answers(std::string const& hangs = kHangs, std::string const& executor = kExecutor) {
  return {.hangs = boost::json::parse(hangs),
          .probes = boost::json::parse(R"({"as_of":"2026-11-24T12:00:00.000Z","probes":[)" +
                                       probe("a", "ok") + "," + probe("b", "critical") + "]}"),
          .executor = boost::json::parse(executor)};
}

std::string text_of(std::vector<TopLine> const& lines) {
  std::string text;
  for (auto const& line : lines) text += line.text + "\n";
  return text;
}

TEST(TopView, BeginsWithTheLoopItsLagAndTheWorstOfTheProbes) {
  auto const view = top_view(answers(), false);
  EXPECT_EQ(text_of(view.head),
            "canaryd: the loop turns, its last beat 40 ms ago\n"
            "lag [@ :] worst 12 s\n"
            "2 probes: 1 critical, 1 ok\n");
  EXPECT_EQ(view.head.back().style, Style::critical);
}

TEST(TopView, ShowsEachRunWithItsStackAndThenTheProbesTheWorstFirst) {
  auto const view = top_view(answers(), false);
  EXPECT_EQ(text_of(view.body),
            "RUNS  1\n"
            "  demo  for 1 s\n"
            "    > tuf.root(2)  1 s  probes/tuf/probe.cc:30\n"
            "      > http.read  300 ms  \n"
            "\n"
            "STATE     PROBE  FOR  LAST RUN  ENDS NEXT\n"
            "critical  b      -    never     -\n"
            "ok        a      -    never     -\n");
  EXPECT_EQ(view.body[6].style, Style::critical);
  EXPECT_EQ(view.body[6].styled, 8U) << "the state alone";
  EXPECT_THAT(text_of(top_view(answers(), true).body), HasSubstr("RUNS  2\n  beat  for 1 min\n"));
}

TEST(TopView, SaysWhatHangsAndWhichRunDoesNotEnd) {
  std::string executor = kExecutor;
  executor.replace(executor.rfind("\"stalled\":false"), 15, "\"stalled\":true");
  auto const view =
      top_view(answers(R"({"executor":{"ok":false,"reason":"the loop has not turned for 12 s",
                  "beat_age_seconds":12},"incidents":[{"level":"hung","subject":"loop",
                  "name":"demo","age_seconds":12.3,"verdict":"lock"}]})",
                       executor),
               false);
  EXPECT_EQ(view.head[0].text, "canaryd HANGS: the loop has not turned for 12 s");
  EXPECT_EQ(view.head[0].style, Style::hang);
  EXPECT_EQ(view.head[1].text, "  hung: loop demo for 12 s, lock");
  EXPECT_EQ(view.body[1].text, "  demo  for 1 s  STALLED: asked to end, and does not");
  EXPECT_EQ(view.body[1].style, Style::hang);
}

TEST(TopView, OfManyRunsShowsFiftyAndOfADeadLoopWhatThereIs) {
  std::string runs;
  for (int i = 0; i < 60; ++i) {
    runs += (i > 0 ? "," : "") + std::string{R"({"name":"p","kind":"probe","age_seconds":1,)"} +
            R"("stalled":false,"rows":[]})";
  }
  auto const view = top_view(answers(kHangs, R"({"loop":null,"runs":[)" + runs + "]}"), false);
  EXPECT_EQ(view.body[0].text, "RUNS  60");
  EXPECT_EQ(view.body[51].text, "  and 10 more");
  EXPECT_EQ(view.head.size(), 2U);
}

TEST(Fitted, TextIsCutAtColumnsAndNeverInACharacter) {
  ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
  EXPECT_EQ(fitted("abcdef", 3, true), "abc");
  EXPECT_EQ(fitted("a\xc3\xa4z", 2, true), "a\xc3\xa4");
  EXPECT_EQ(fitted("\xe6\xbc\xa2\xe6\xbc\xa2", 3, true), "\xe6\xbc\xa2") << "two columns each";
  EXPECT_EQ(fitted("a\xc3\xa4z", 9, false), "a?z") << "a terminal without UTF-8";
  EXPECT_EQ(fitted("a\xffz", 9, true), "a?z");
  EXPECT_EQ(fitted("abc", 0, true), "");
}

}  // namespace
}  // namespace canary::daemon

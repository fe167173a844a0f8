// SPDX-License-Identifier: Apache-2.0
// Pages of what befell canaryd itself: hangs, dumps to read; and those of its runbook and
// configuration.
#include "daemon/publish/page/hangs_page.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/page/config_page.h"
#include "daemon/publish/page/dump_page.h"
#include "daemon/publish/page/runbook.h"
#include "daemon/publish/stored_dumps.h"
#include "tests/support/temporary_folder.h"

namespace canary::daemon::page {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr SysTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + 2h};
constexpr char kEvil[] = "<script>alert(1)</script>\"'{{version}}&";

history::Moment moment(std::string kind, std::string subject, std::string detail,
                       history::milliseconds ago, history::milliseconds lasted = 0ms) {
  history::Moment made{.at = kNow - ago, .kind = std::move(kind), .lasted = lasted};
  made.finding.subject = std::move(subject);
  made.finding.message = std::move(detail);
  return made;
}

class Hangs : public ::testing::Test {
 protected:
  std::string page() const { return hangs_page(own_, past_, query_, kNow); }

  OwnState own_;
  HangsPast past_;
  history::Query query_{.probe = "", .since = kNow - 24h * 7, .until = kNow};
};

TEST_F(Hangs, AreToldTheNewestFirstWithHowLongNobodyWatched) {
  past_.moments.entries = {
      moment("hang", "loop demo", "hung, blocking_call, at async_wait", 3h, 12s),
      moment("unclean_end", "aborted", "", 2h, 34s), moment("start", "0.1.0", "", 2h - 34s)};
  past_.dumps = {{.name = "stall-000001-loop-hung", .written = kNow - 3h, .headline = "loop hung"}};
  own_.previous_run = "The process before ended unclean (aborted); nobody watched for 34 s.";
  own_.crash = "At its end, 2 h ago, its loop had run a handler for 30 s, of demo.";
  own_.post_mortem = "post-mortem-1";
  auto const shown = page();

  EXPECT_THAT(shown, HasSubstr("canaryd hung 1 time, and ended unclean 1 time: nobody watched for "
                               "34 s"));
  EXPECT_LT(shown.find("canaryd 0.1.0 starts"), shown.find("canaryd hangs: loop demo for 12 s"));
  EXPECT_THAT(shown, HasSubstr("<path class=\"stalled\" d=\"M982 0h3v24h-3z\""));
  EXPECT_THAT(shown, HasSubstr("href=\"/hangs/stall-000001-loop-hung\">loop hung"));
  EXPECT_THAT(shown, HasSubstr("had run a handler for 30 s"));
  EXPECT_THAT(shown, HasSubstr("href=\"/hangs/post-mortem-1\""));
}

TEST_F(Hangs, AreSaidToBeNoneOrNotKnown) {
  EXPECT_THAT(page(), HasSubstr("canaryd neither hung nor ended unclean"));
  EXPECT_THAT(page(), HasSubstr("None is kept."));
  own_.turns = false;
  EXPECT_THAT(page(), HasSubstr("Before this hang canaryd neither hung nor ended unclean"));
  EXPECT_THAT(page(), Not(HasSubstr("verdict ok")));
  own_.turns = true;
  past_.trouble = "no space left";
  past_.dumps_trouble = "The disk with the dumps does not answer.";
  EXPECT_THAT(page(), HasSubstr("The history cannot be read"));
  EXPECT_THAT(page(), HasSubstr("no space left"));
  EXPECT_THAT(page(), HasSubstr("The disk with the dumps does not answer."));
  EXPECT_THAT(page(), Not(HasSubstr("None is kept.")));
}

TEST_F(Hangs, BeginWithTheOneThatGoesOn) {
  own_.turns = false;
  own_.why = "the loop has not turned for 15 s";
  auto const shown = page();
  EXPECT_LT(shown.find("canaryd itself hangs: the loop has not turned for 15 s"),
            shown.find("<h1>canaryd neither"));
  EXPECT_THAT(shown, HasSubstr("href=\"/runbook#CanarydExecutorStalled\""));
}

TEST_F(Hangs, OfOthersTextStaysText) {
  past_.moments.entries = {moment("hang", kEvil, kEvil, 1h, 1s), moment(kEvil, kEvil, kEvil, 1h)};
  past_.dumps = {{.name = kEvil, .written = kNow, .headline = kEvil}};
  past_.trouble = past_.dumps_trouble = kEvil;
  own_.crash = own_.previous_run = own_.post_mortem = own_.last_stall = kEvil;
  auto const shown = page();
  EXPECT_THAT(shown, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(shown, HasSubstr("{{version}}"));
}

constexpr char kDumpJson[] = R"json({
  "headline": "loop demo hung for 12 s: blocking_call", "reason": "hung", "process": 4711,
  "time": "2026-11-26T01:00:00Z", "build_id": "abc",
  "culprit": {"function": "read_it()", "file": "probes/tuf/probe.cc", "line": 30},
  "incidents": [{"subject": "loop", "name": "demo", "level": "hung", "verdict": "blocking_call",
                 "age_seconds": 12.5, "system_call": "read"}],
  "stacks": [
    {"name": "loop", "thread": 7, "culprit": true, "frames": [
      {"function": "read", "file": "sysdeps/read.c", "line": 1, "module": "/lib/libc.so.6"},
      {"function": "std::getline()", "file": "/usr/include/c++/12/x.h", "line": 9},
      {"function": "read_it()", "file": "probes/tuf/probe.cc", "line": 30},
      {"function": null, "address": "0x1234", "module": "/lib/libstdc++.so.6", "file": null},
      {"function": "main", "file": "daemon/main.cc", "line": 5}]},
    {"name": "log", "thread": 8, "culprit": false, "frames": []}],
  "runs": [{"name": "demo", "kind": "probe", "age_seconds": 13, "stalled": true, "rows": [
    {"name": "tuf.root", "detail": "1", "age_seconds": 12, "wait": true,
     "operation_pending": false, "place": {"file": "probes/tuf/probe.cc", "line": 30}}]}],
  "log": ["msg=hung"], "notes": []})json";

TEST(DumpPage, HasTheAccusedLineOnTopAndFoldsFramesOfLibraries) {
  auto const page = dump_page("stall-1", kDumpJson).value_or("");
  auto const accused = page.find("<code class=\"accused\">probes/tuf/probe.cc:30</code>");
  ASSERT_NE(accused, std::string::npos) << page;
  EXPECT_LT(accused, page.find("<h2>Stack of loop (thread 7)"));
  EXPECT_THAT(page, HasSubstr("<summary>2 frames of libraries</summary>"));
  EXPECT_THAT(page, HasSubstr("<summary>1 frame of libraries</summary>"));
  EXPECT_THAT(page, HasSubstr("<li class=\"accused\"><code>read_it()</code>"));
  EXPECT_THAT(page, HasSubstr("<li><code>main</code>"));
  EXPECT_THAT(page, HasSubstr("0x1234"));
  EXPECT_THAT(page, HasSubstr("hung for 12 s: blocking_call, in read"));
  EXPECT_THAT(page, HasSubstr("nothing pending wakes it"));
  EXPECT_THAT(page, HasSubstr("<summary>log (thread 8)</summary>"));
  EXPECT_THAT(page, HasSubstr("msg=hung"));
}

TEST(DumpPage, OfAFileThatIsNoneIsNothingAndOfOthersTypesLeavesThemOut) {
  EXPECT_FALSE(dump_page("x", ""));
  EXPECT_FALSE(dump_page("x", "[1]"));
  EXPECT_FALSE(dump_page("x", std::string(100'000, '[')));
  EXPECT_TRUE(dump_page("x", "{}"));
  EXPECT_TRUE(dump_page("x", R"({"culprit": 3, "stacks": [1, {"frames": {}}], "runs": [null],
                                 "incidents": [{"age_seconds": -1e300}], "log": [{}]})"));
}

TEST(DumpPage, OfOthersTextStaysText) {
  std::string const evil = R"("<script>alert(1)</script>{{name}}")";
  auto const page =
      dump_page("x", R"({"headline": )" + evil + R"(, "build_id": )" + evil + R"(, "notes": [)" +
                         evil + R"(], "log": [)" + evil + R"(], "culprit": {"function": )" + evil +
                         R"(, "file": )" + evil + R"(}, "stacks": [{"name": )" + evil +
                         R"(, "culprit": true, "note": )" + evil + R"(, "frames": [{"function": )" +
                         evil + R"(, "module": )" + evil + R"(}]}], "runs": [{"name": )" + evil +
                         R"(, "rows": [{"name": )" + evil + R"(, "detail": )" + evil + R"(}]}]})");
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(*page, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(*page, HasSubstr("{{name}}"));
}

class Stored : public ::testing::Test {
 protected:
  void write(std::string const& name, std::string const& text) const {
    std::ofstream{folder_.path() / name} << text;
  }
  support::TemporaryFolder folder_;
  StoredDumps dumps_{folder_.path()};
};

TEST_F(Stored, DumpsAreListedTheNewestFirstByTheirFirstLine) {
  write("old.txt", "canaryd: it hung\nmore");
  write("new.txt", "canaryd: \x1b[31m<b>");
  write("new.raw", "");
  write(".index", "");
  std::filesystem::last_write_time(folder_.path() / "old.txt",
                                   std::filesystem::file_time_type::clock::now() - 1h);
  auto const found = dumps_.list(30s);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->at(0).name, "new");
  EXPECT_EQ(found->at(0).headline, "\\x1b[31m<b>");
  EXPECT_EQ(found->at(1).headline, "it hung");
}

TEST_F(Stored, DumpsAreReadByNameAndNothingElseIs) {
  write("one.txt", "text");
  EXPECT_EQ(dumps_.read("one.txt", 30s).value().content, "text");
  EXPECT_FALSE(dumps_.read("two.txt", 30s).value().found);
  for (std::string const name : {"", ".index", "../one.txt", "/etc/passwd", "a/b", "..", "a\nb"}) {
    EXPECT_FALSE(dumps_.read(name, 30s).value().found) << name;
  }
  write("long.txt", std::string(StoredDumps::kMostBytes + 1, 'x'));
  EXPECT_FALSE(dumps_.read("long.txt", 30s).value().found);
}

TEST_F(Stored, DumpsOnADiskThatDoesNotAnswerCostTheirPatienceAndOneThread) {
  // Nobody writes into it: whoever opens it waits.
  ASSERT_EQ(::mkfifo((folder_.path() / "stuck.txt").c_str(), 0600), 0);
  EXPECT_FALSE(dumps_.read("stuck.txt", 50ms));
  write("one.txt", "text");
  EXPECT_FALSE(dumps_.read("one.txt", 30s)) << "told at once, while the first stands still";
  std::ofstream{folder_.path() / "stuck.txt"} << "now";
}

TEST(Runbook, HasASectionForEachAlertAsItIsWrittenAndInLowerCase) {
  auto const page = runbook_page();
  std::ifstream rules{"config/prometheus/canaryd.rules.yml"};
  constexpr std::string_view kAlert = "- alert: ";
  int alerts = 0;
  for (std::string line; std::getline(rules, line);) {
    auto const at = line.find(kAlert);
    if (at == std::string::npos) continue;
    std::string const name = line.substr(at + kAlert.size());
    std::string lower = name;
    for (auto& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_THAT(page, HasSubstr("<h3 id=\"" + name + "\"><a id=\"" + lower + "\""));
    ++alerts;
  }
  EXPECT_GT(alerts, 40);
  EXPECT_THAT(page, Not(HasSubstr(" style=")));
  EXPECT_THAT(page, HasSubstr("data-still")) << "whoever reads it is not scrolled away";
}

TEST(ConfigPage, ShowsTheTextAndWhyANewerOneWasRefused) {
  DaemonFacts daemon;
  daemon.config_file = "/etc/canaryd/canaryd.yml";
  daemon.last_reload_success = kNow - 1min;
  auto const page = config_page("probes: <b>\n  - {{name}}\n", daemon, kNow);
  EXPECT_THAT(page, HasSubstr("probes: &lt;b&gt;\n  - {{name}}\n"));
  EXPECT_THAT(page, HasSubstr("in force since 01:59:00 UTC"));
  EXPECT_THAT(page, Not(HasSubstr("refused")));
  daemon.reload_successful = false;
  daemon.reload_error = kEvil;
  EXPECT_THAT(config_page("", daemon, kNow), HasSubstr("refused"));
  EXPECT_THAT(config_page("", daemon, kNow), Not(HasSubstr("<script>alert")));
}

TEST(ConfigPage, OfManyProbesIsCutAfterALine) {
  std::string text;
  while (text.size() < 3 * kLongestConfig) text += "  - name: probe\n";
  auto const page = config_page(text, {}, kNow);
  EXPECT_LT(page.size(), 1'000'000U);
  EXPECT_THAT(page, HasSubstr("name: probe\n</pre>"));
  EXPECT_THAT(page, HasSubstr("href=\"/config?as=text\">all of it"));
}

}  // namespace
}  // namespace canary::daemon::page

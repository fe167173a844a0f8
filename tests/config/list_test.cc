// SPDX-License-Identifier: Apache-2.0
// Lists of probes from outside, and the sources in the main file: what is read of them, and that
// none of it runs programs or reads files that nobody gave it.
#include "config/list.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/touched_files.h"
#include "probes/kind.h"
#include "probes/tuf/spec.h"
#include "tests/config/temp_dir.h"

namespace canary::config {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kPlace[] = "https://lists.example/fleet.yml";

class List : public ::testing::Test {
 protected:
  List() {
    dir.write("files/root.json", "{}");
    dir.write("files/deep/root.json", "{}");
    dir.write("secret", "hush");
  }

  // A main file of one source, `fleet`, with more of it and before it.
  Config main_file(std::string const& top = "", std::string const& source = "files: files") {
    std::string const yaml = top +
                             "discovery:\n  - {name: fleet, url: https://lists.example/fleet.yml" +
                             (source.empty() ? "" : ", " + source) + "}\n";
    auto result = load(dir.write("canaryd.yml", yaml), environment, probes::configured_kinds());
    if (result) return std::move(result).value();
    for (auto const& problem : result.error()) ADD_FAILURE() << to_text(problem);
    return {};
  }
  std::string main_problems(std::string const& yaml) {
    auto const result =
        load(dir.write("canaryd.yml", yaml), environment, probes::configured_kinds());
    EXPECT_FALSE(result);
    std::string text;
    if (!result) {
      for (auto const& problem : result.error()) text += to_text(problem) + "\n";
    }
    return text;
  }
  struct Found {
    std::vector<ProbeSpec> probes;
    std::vector<Problem> problems;
  };
  Found read(std::string text, Config const& config, TakenBy const& taken = {}) {
    auto list = read_list(config.discovery.at(0), {{kPlace, std::move(text)}}, config,
                          probes::configured_kinds(), taken);
    return {.probes = std::move(list.probes), .problems = list.problems.take()};
  }
  // All problems of a list of one probe, `name: a` and these fields.
  std::string problems(std::string const& fields) {
    auto const found = read("probes:\n  - {name: a, " + fields + "}\n", main_file());
    EXPECT_THAT(found.probes, IsEmpty());
    std::string text;
    for (auto const& problem : found.problems) text += to_text(problem) + "\n";
    return text;
  }

  TempDir dir;
  Environment environment{{"TOKEN", "hush"}};
};

TEST_F(List, StartsFromTheMainFilesDefaultsInYamlAndInJson) {
  auto const config = main_file("defaults: {interval: 7m, http: {max_attempts: 9}}\n");
  for (auto const* text :
       {"probes:\n  - {name: a, http: {url: \"http://a.example/\"}, timeout: 3s}\n",
        "{\"probes\": [\n\t{\"name\": \"a\", \"http\": {\"url\": \"http://a.example/\"},\n"
        "\t\"timeout\": \"3s\"}]}"}) {
    auto const list = read(text, config);
    ASSERT_THAT(list.problems, IsEmpty()) << to_text(list.problems.at(0));
    ASSERT_THAT(list.probes, SizeIs(1));
    EXPECT_EQ(list.probes[0].interval, 7min);
    EXPECT_EQ(list.probes[0].timeout, 3s);
    EXPECT_EQ(list.probes[0].http.max_attempts, 9);
    EXPECT_EQ(list.probes[0].source, "fleet");
  }
}

TEST_F(List, SaysWhereItIsWrongAndKeepsWhatIsNot) {
  auto const list = read(
      "probes:\n"
      "  - {name: a, tcp: {address: \"a.example:1\"}}\n"
      "  - {name: b, tcp: {address: \"b.example:1\"}, intervall: 5m}\n"
      "  - {name: a, tcp: {address: \"c.example:1\"}}\n",
      main_file());
  ASSERT_THAT(list.problems, SizeIs(2));
  EXPECT_EQ(
      to_text(list.problems[0]),
      std::string{kPlace} + ":3:46: probes[1].intervall: unknown field; did you mean interval?");
  EXPECT_EQ(to_text(list.problems[1]), std::string{kPlace} +
                                           ":4:12: probes[2].name: the name a is taken, first at " +
                                           kPlace + ":2");
  ASSERT_THAT(list.probes, SizeIs(1));
  EXPECT_EQ(list.probes[0].name.text, "a");
}

TEST_F(List, HasNoNameThatIsTaken) {
  auto const list = read("probes:\n  - {name: a, tcp: {address: \"a.example:1\"}}\n", main_file(),
                         [](std::string_view name) {
                           return name == "a" ? std::string{"the list of other"} : std::string{};
                         });
  ASSERT_THAT(list.problems, SizeIs(1));
  EXPECT_THAT(to_text(list.problems[0]), HasSubstr("the name a is taken, by the list of other"));
}

// A server that answers with an empty page must not end the watch of everything.
TEST_F(List, IsEmptyOnlyWhereItSaysSo) {
  auto const config = main_file();
  for (auto const* text : {"", "probes:\n", "{}", "# probes\n", "probes: ~\n", "[]"}) {
    EXPECT_THAT(read(text, config).problems, Not(IsEmpty())) << text;
  }
  auto const list = read("probes: []\n", config);
  EXPECT_THAT(list.problems, IsEmpty());
  EXPECT_THAT(list.probes, IsEmpty());
}

TEST_F(List, RunsNoProgramsReadsNoSecretsAndSetsNothingElse) {
  EXPECT_THAT(problems("exec: {command: [/bin/true]}"),
              HasSubstr("probes[0].exec: a list may run no programs"));
  EXPECT_THAT(problems("http: {url: \"file:///etc/passwd\"}"),
              HasSubstr("a list may read no files: expected http:// or https://"));
  EXPECT_THAT(problems("tuf: {metadata_url: \"file:///etc\", root: root.json}"),
              HasSubstr("a list may read no files"));
  EXPECT_THAT(
      problems("http: {url: \"http://a.example/\", headers: {Authorization: {file: secret}}}"),
      HasSubstr("a list may name no secrets"));
  EXPECT_THAT(
      problems(
          "http: {url: \"http://a.example/\", headers: {Authorization: {environment: TOKEN}}}"),
      HasSubstr("a list may name no secrets"));
  EXPECT_THAT(problems("http: {url: \"http://a.example/\", proxy_credentials: {file: secret}}"),
              HasSubstr("a list may name no secrets"));
  EXPECT_THAT(problems("http: {url: \"http://a.example/\", proxy: \"http://b.example:1\"}"),
              HasSubstr("a list may name no proxy"));
  for (auto const* field : {"state_directory: /", "web: {}", "defaults: {}", "include: x",
                            "discovery: []", "watchdog: {}", "remote_write: {}"}) {
    auto const list = read("probes: []\n" + std::string{field} + "\n", main_file());
    ASSERT_THAT(list.problems, SizeIs(1)) << field;
    EXPECT_THAT(to_text(list.problems[0]), HasSubstr("belongs into the main file"));
  }
}

TEST_F(List, NamesFilesOfItsFolderAlone) {
  std::string const begin = "tuf: {metadata_url: \"https://a.example/m\", root: ";
  auto const list = read("probes:\n  - {name: a, " + begin + "deep/../root.json}}\n", main_file());
  ASSERT_THAT(list.problems, SizeIs(1)) << "no .. at all";
  auto const good = read("probes:\n  - {name: a, " + begin + "deep/root.json}}\n", main_file());
  ASSERT_THAT(good.problems, IsEmpty()) << to_text(good.problems.at(0));
  EXPECT_EQ(good.probes[0].kind.get<tuf::Spec>()->root, dir.path() / "files/deep/root.json");

  std::filesystem::create_symlink(dir.path() / "secret", dir.path() / "files/link");
  std::filesystem::create_directory_symlink(dir.path(), dir.path() / "files/up");
  std::filesystem::create_symlink("deep/root.json", dir.path() / "files/inside");
  auto const whole = (dir.path() / "files/root.json").string();
  for (auto const& [name, why] : {std::pair{"../secret", "without .."},
                                  {whole.c_str(), "without .."},
                                  {"link", "leads out of it"},
                                  {"up/secret", "leads out of it"},
                                  {"none.json", "expected a readable file"}}) {
    EXPECT_THAT(problems(begin + "\"" + name + "\"}"), HasSubstr(why)) << name;
  }
  EXPECT_THAT(read("probes:\n  - {name: a, " + begin + "inside}}\n", main_file()).problems,
              IsEmpty());
  EXPECT_THAT(read("probes:\n  - {name: a, " + begin + "root.json}}\n", main_file("", "")).problems,
              SizeIs(1))
      << "a source without a folder";
}

// They were meant for the hosts of the main file's own probes.
TEST_F(List, GetsNoSecretsOfTheDefaults) {
  auto const config = main_file(
      "defaults: {http: {headers: {Authorization: {environment: TOKEN}, X-Who: canary}}}\n");
  auto const list = read("probes:\n  - {name: a, http: {url: \"http://evil.example/\"}}\n", config);
  ASSERT_THAT(list.probes, SizeIs(1));
  EXPECT_THAT(list.probes[0].http.secret_headers, IsEmpty());
  EXPECT_THAT(list.probes[0].http.headers, SizeIs(1));
}

TEST_F(List, IsHeldToTheWatchdogsLimit) {
  auto const config =
      main_file("watchdog: {run_stall: 20s}\ndefaults: {timeout: 5s, http: {idle_timeout: 19s}}\n");
  std::string const probe = "probes:\n  - {name: a, http: {url: \"http://a.example/\"}";
  EXPECT_THAT(read(probe + "}\n", config).problems, IsEmpty());
  auto const list = read(probe + ", timeout: 1m}\n", config);
  ASSERT_THAT(list.problems, Not(IsEmpty()));
  EXPECT_THAT(to_text(list.problems[0]),
              AllOf(HasSubstr("less than watchdog.run_stall (20s)"), HasSubstr("defaults")));
}

TEST_F(List, NamesNotMoreMistakesThanAnybodyReads) {
  std::string text = "probes:\n";
  for (int i = 0; i < 10'000; ++i) text += "  - {nam: x}\n";
  EXPECT_LT(read(text, main_file()).problems.size(), 200U);
  text = "probes: []\n";
  for (int i = 0; i < 10'000; ++i) text += "field" + std::to_string(i) + ": 1\n";
  EXPECT_LT(read(text, main_file()).problems.size(), 200U);
  text = "probes: []\n";
  for (int i = 0; i < 10'000; ++i) text += "probes: []\n";
  auto const twice = read(text, main_file()).problems;
  ASSERT_THAT(twice, SizeIs(Problems::kMostKept + 1));
  EXPECT_EQ(to_text(twice[0]),
            std::string{kPlace} + ":2:1: probes: the same field twice, first on line 1");
  EXPECT_EQ(to_text(twice.back()), "and 9900 more problems");
}

// On a slow machine a long list takes its time, which is not standing still.
TEST_F(List, SaysWhileItIsReadThatItGoesOn) {
  auto const config = main_file();
  int steps = 0;
  OnEachFile const tell{[](auto const&) {}, [&steps] { ++steps; }};
  std::string text = "probes:\n";
  for (int i = 0; i < 3'000; ++i) {
    text += "  - {name: p" + std::to_string(i) + ", tcp: {address: \"a.example:1\"}}\n";
  }
  EXPECT_THAT(read(text, config).probes, SizeIs(3'000));
  EXPECT_GE(steps, 3'000 + 22 + 3) << "each probe, and before them its values and the lines";
}

TEST_F(List, IsFollowedAsTheMainFileSays) {
  auto const config = main_file("", "refresh: 2m, files: files, http: {max_attempts: 1}");
  ASSERT_THAT(config.discovery, SizeIs(1));
  EXPECT_EQ(config.discovery[0].refresh, 2min);
  EXPECT_EQ(config.discovery[0].files, dir.path() / "files");
  EXPECT_EQ(config.discovery[0].from(), "https://lists.example/fleet.yml");
  auto const again =
      load(dir.write("again/shown.yml", show(config)), environment, probes::configured_kinds());
  ASSERT_TRUE(again) << show(config) << to_text(again.error().at(0));
  EXPECT_EQ(again.value(), config) << show(config);
}

TEST_F(List, HasASourceThatIsWhole) {
  EXPECT_THAT(main_problems("discovery: [{name: a}]\n"), HasSubstr("exactly one of url and file"));
  EXPECT_THAT(main_problems("discovery: [{name: a, file: x, url: \"http://a.example/\"}]\n"),
              HasSubstr("exactly one of url and file"));
  EXPECT_THAT(main_problems("discovery: [{name: a, url: \"file:///x\"}]\n"),
              HasSubstr("discovery[0].url: expected http:// or https://"));
  EXPECT_THAT(main_problems("discovery: [{name: a/b, file: x}]\n"), HasSubstr("discovery[0].name"));
  EXPECT_THAT(main_problems("discovery: [{name: .., file: x}]\n"), HasSubstr("discovery[0].name"));
  EXPECT_THAT(main_problems("discovery: [{file: x}]\n"), HasSubstr("expected name"));
  EXPECT_THAT(main_problems("discovery: [{name: a, file: x}, {name: a, file: y}]\n"),
              HasSubstr("discovery[1]: the same name twice: a"));
  EXPECT_THAT(main_problems("discovery: [{name: a, file: x, refresh: 100ms}]\n"),
              HasSubstr("expected 1s to 1d"));
  EXPECT_THAT(main_problems("discovery: [{name: a, file: x, files: none}]\n"),
              HasSubstr("expected a folder"));
  EXPECT_THAT(main_problems("discovery: [{name: a, file: x, http: {}}]\n"),
              HasSubstr("discovery[0].http: unknown field"));
}

// What is to be silenced may be on a list that is not here yet.
TEST_F(List, MayBringWhatAWindowNames) {
  auto const config = main_file(
      "maintenance: [{weekly: \"sun 02:00-04:00\", probes: \"fleet-*\", reason: moves}]\n");
  EXPECT_THAT(config.maintenance, SizeIs(1));
}

}  // namespace
}  // namespace canary::config

// SPDX-License-Identifier: Apache-2.0
// The smaller subcommands, and that the manual knows every option.
// Thread: main.
#include <unistd.h>

#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ConfigCheck, SaysThatAFileIsGood) {
  Site const site;
  site.publish("a", tuf::a_repository(now()));
  auto const ran = canaryd({"config", "check", site.configure({site.probe("a")})});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("good; probes: 1"));
}

TEST(ConfigCheck, CountsTheProbesOfAShard) {
  Site const site;
  site.publish("a", tuf::a_repository(now()));
  std::string const file = site.configure({site.probe("a")});
  int kept = 0;
  for (std::string const shard : {"0/2", "1/2"}) {
    auto const ran = canaryd({"config", "check", file, "--shard", shard});
    EXPECT_EQ(ran.code, 0) << ran.err;
    if (ran.out == file + ": good; probes: 1 of 1 in shard " + shard + "\n") ++kept;
  }
  EXPECT_EQ(kept, 1);
  auto const refused = canaryd({"config", "check", file, "--shard", "2/2"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("--shard: expected INDEX/COUNT such as 0/3"));
}

TEST(ConfigCheck, NamesAllThatIsWrongAndReturns78) {
  Site const site;
  std::string const file = site.write("canaryd.yml", "wrokers: 1\nprobes:\n  - name: a b\n");
  for (std::string const verb : {"check", "show"}) {
    auto const ran = canaryd({"config", verb, file});
    EXPECT_EQ(ran.code, 78);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, HasSubstr(file + ":1:1: wrokers: "));
    EXPECT_THAT(ran.err, HasSubstr("did you mean workers?"));
    EXPECT_THAT(ran.err, HasSubstr(file + ":3:11: probes[0].name: "));
  }
}

TEST(ConfigShow, PrintsWhatLoadsAgainWithoutTheSecrets) {
  Site const site;
  site.publish("a", tuf::a_repository(now()));
  std::string const token = site.write("token", "s3cr3t-of-the-test\n");
  std::string const config = site.configure(
      {site.probe("a", "    http: {headers: {Authorization: {file: " + token + "}}}\n")});
  auto const ran = canaryd({"config", "show", config});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, Not(HasSubstr("s3cr3t-of-the-test")));
  EXPECT_THAT(ran.out, HasSubstr("max_redirects: 5"));
  auto const again = canaryd({"config", "show", site.write("again.yml", ran.out)});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, ran.out);
}

TEST(ConfigCheck, TakesAnEmptyListOfProbesThatIsMeant) {
  Site const site;
  auto const ran = canaryd({"config", "check", site.write("canaryd.yml", "probes: []\n")});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("good; probes: 0"));
}

TEST(ConfigCheck, AsTheServicesUserSeesWhatItCanReadAndWhatFilesAre) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to go on as another user";
  Site const site;
  site.publish("a", tuf::a_repository(now()));
  std::string const timestamp = (site.path() / "a/metadata/timestamp.json").string();
  std::string const config = site.write(
      "canaryd.yml", "probes:\n  - name: a\n    http: {ca_file: " + timestamp +
                         "}\n    tuf:\n      metadata_url: https://r.example/metadata/root.json\n"
                         "      root: " +
                         timestamp + "\n");
  EXPECT_EQ(canaryd({"config", "check", config}).code, 0);
  auto const ran = canaryd({"config", "check", "--as-user", "root", config});
  EXPECT_EQ(ran.code, 78);
  for (char const* const part :
       {"tuf.root: ", " is of type timestamp, expected root", " has no certificate (PEM)",
        "root.json is a file, expected the folder",
        "hidden from canaryd.service by its PrivateTmp="}) {
    EXPECT_THAT(ran.err, HasSubstr(part));
  }
  std::filesystem::permissions(timestamp, std::filesystem::perms::owner_read);
  auto const nobody = canaryd({"config", "check", "--as-user", "nobody", config});
  EXPECT_EQ(nobody.code, 78);
  EXPECT_THAT(nobody.err, HasSubstr("ermission denied"));
  EXPECT_THAT(canaryd({"config", "check", "--as-user", "who-is-this", config}).err,
              HasSubstr("there is no user who-is-this"));
}

TEST(ConfigDiff, NamesEachFieldAndProbeThatIsNotTheSame) {
  Site const site;
  for (std::string const name : {"a", "b", "c"}) site.publish(name, tuf::a_repository(now()));
  std::string const old = site.configure({site.probe("a"), site.probe("b")});
  auto const before = tuf::read_file(old);
  std::string const first = site.write("old.yml", before);
  std::string const fresh =
      site.configure({site.probe("a", "    timeout: 7s\n"), site.probe("c")}, "workers: 3\n");
  auto const ran = canaryd({"config", "diff", first, fresh});
  EXPECT_EQ(ran.code, 1) << ran.err;
  for (char const* const line : {"workers: 0 -> 3\n", "probe b: removed\n", "probe c: added\n"}) {
    EXPECT_THAT(ran.out, HasSubstr(line));
  }
  EXPECT_THAT(ran.out, ::testing::ContainsRegex("probe a: timeout: .* -> 7s\n"));
  EXPECT_EQ(count(ran.out, "\n"), 4U) << ran.out;
  auto const same = canaryd({"config", "diff", fresh, fresh});
  EXPECT_EQ(same.code, 0);
  EXPECT_EQ(same.out, "");
  EXPECT_EQ(canaryd({"config", "diff", fresh, site.write("bad.yml", "workers: x\n")}).code, 78);
}

TEST(Version, NamesWhatIsCompiledInAndWhatIsLoaded) {
  auto const ran = canaryd({"version"});
  EXPECT_EQ(ran.code, 0);
  for (char const* const each : {"canaryd " CANARY_VERSION, "Boost", "OpenSSL", "c-ares"}) {
    EXPECT_THAT(ran.out, HasSubstr(each));
  }
  EXPECT_EQ(canaryd({"--version"}).out, "canaryd " CANARY_VERSION "\n");
}

TEST(CommandLine, WrongUseNamesTheCommandWhatIsWrongAndWhereHelpIs) {
  struct Case {
    std::vector<std::string> words;
    std::string says;
  };
  for (Case const& each :
       {Case{{}, "canaryd: A subcommand is required (try canaryd --help)\n"},
        Case{{"rum"}, "canaryd: there is no command \"rum\" (try canaryd --help)\n"},
        Case{{"--conf=x", "run"},
             "canaryd: there is no option --conf=x before a command (try canaryd --help)\n"},
        Case{{"config", "chek", "x"},
             "canaryd config: there is no command \"chek\" (try canaryd config --help)\n"},
        Case{{"config", "diff", "x"},
             "canaryd config diff: NEW is required (try canaryd config diff --help)\n"},
        Case{{"status", "--al"},
             "canaryd status: The following argument was not expected: --al (try canaryd status "
             "--help)\n"}}) {
    auto const ran = canaryd(each.words);
    EXPECT_EQ(ran.err, each.says);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.code, 0);
  }
}

// Every option and subcommand that `help` lists.
std::set<std::string> listed(std::string const& help) {
  static std::regex const option{"(?:^|[ ,])(--[a-z][a-z.-]*)"};
  std::set<std::string> found;
  for (std::sregex_iterator each{help.begin(), help.end(), option}, end; each != end; ++each) {
    found.insert((*each)[1]);
  }
  return found;
}

// The subcommands that `help` lists, none missed when one is added.
std::vector<std::string> subcommands(std::string const& help) {
  std::vector<std::string> found;
  auto const list = help.find("\nSubcommands:\n");
  if (list == std::string::npos) return found;
  std::istringstream lines{help.substr(list + 1)};
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line.starts_with("  ")) {
    if (line[2] != ' ') found.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return found;
}

struct Manual {
  char const* program;
  char const* file;
};

// Holds a command's options against the manual, then those of its subcommands.
void expect_described(Manual const& what, std::vector<std::string> const& words) {
  std::string const manual = tuf::read_file(std::filesystem::path{CANARY_SOURCE_DIR} / what.file);
  auto const describes = [&manual](std::string const& text) {
    return manual.find(text) != std::string::npos;
  };
  std::vector<std::string> arguments{what.program};
  arguments.insert(arguments.end(), words.begin(), words.end());
  arguments.emplace_back("--help");
  auto const ran = support::run(arguments);
  ASSERT_EQ(ran.code, 0) << ran.err;
  auto const options = listed(ran.out);
  EXPECT_TRUE(options.contains("--help"));
  for (auto const& option : options) {
    EXPECT_TRUE(describes("`" + option)) << option << " of " << testing::PrintToString(words);
  }
  if (words.size() == 1) EXPECT_TRUE(describes("`" + words[0])) << words[0];
  for (auto const& each : subcommands(ran.out)) {
    auto longer = words;
    longer.push_back(each);
    if (!words.empty()) EXPECT_TRUE(describes("`" + words.back() + " " + each + "`")) << each;
    expect_described(what, longer);
  }
}

TEST(Manual, OfCanarydHasEveryOptionOfItsHelp) {
  EXPECT_THAT(subcommands(canaryd({"--help"}).out), ::testing::IsSupersetOf({"run", "check"}));
  expect_described({CANARYD, "docs/canaryd.md"}, {});
}

TEST(Manual, OfTufClientHasEveryOptionOfItsHelp) {
  expect_described({TUF_CLIENT, "docs/tuf-client.md"}, {});
}

}  // namespace
}  // namespace canary::e2e

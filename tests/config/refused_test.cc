// SPDX-License-Identifier: Apache-2.0
// Every file in refused/ is a mistake, named by the file; its "# expect:" lines are the whole
// answer.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "config/yaml.h"
#include "probes/kind.h"
#include "probes/tuf/spec.h"
#include "tests/config/temp_dir.h"
#include "tests/support/read_file.h"

namespace canary::config {
namespace {

using ::testing::HasSubstr;

std::filesystem::path refused_folder() {
  return std::filesystem::path(CANARY_SOURCE_DIR) / "tests/config/refused";
}

std::vector<std::string> mistakes() {
  std::vector<std::string> names;
  for (auto const& entry : std::filesystem::directory_iterator(refused_folder())) {
    if (entry.path().extension() == ".yml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

// What load() says, a line a problem, without the folder; "" when the file is accepted.
std::string answer(std::filesystem::path const& file) {
  Kinds const one{probes::configured_kinds().front()};  // messages list the kinds
  auto const result = load(file, Environment{{"HOME", "/home/somebody"}}, one);
  std::string text;
  if (result) return text;
  for (auto const& problem : result.error()) text += to_text(problem) + "\n";
  auto const folder = file.parent_path().string() + "/";
  for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
    text.erase(at, folder.size());
  }
  return text;
}

std::string expected_answer(std::filesystem::path const& file) {
  constexpr std::string_view mark = "# expect: ";
  std::istringstream lines(support::read_file(file));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(mark)) text += line.substr(mark.size()) + "\n";
  }
  return text;
}

class ConfigRefuses : public ::testing::TestWithParam<std::string> {};

TEST_P(ConfigRefuses, AndSaysWhereAndWhatIsExpected) {
  auto const file = refused_folder() / (GetParam() + ".yml");
  EXPECT_NE(answer(file), "") << "the file is accepted";
  EXPECT_EQ(answer(file), expected_answer(file));
}

INSTANTIATE_TEST_SUITE_P(Mistakes, ConfigRefuses, ::testing::ValuesIn(mistakes()),
                         [](auto const& info) { return info.param; });

constexpr char kProbe[] =
    "probes: [{name: a, enabled: false, tuf: {metadata_url: 'http://a/', "
    "root: r}}]\n";

TEST(ConfigLimits, AcceptALongFileAndRefuseALongerOne) {
  TempDir const dir;
  std::string padded = kProbe;
  while (padded.size() + 64 <= yaml::kMaxFileBytes) padded += std::string(63, '#') + "\n";
  EXPECT_EQ(answer(dir.write("a.yml", padded)), "");
  padded += std::string(64, '#') + "\n";
  EXPECT_EQ(answer(dir.write("a.yml", padded)), "a.yml: a.yml is longer than 4194304 bytes\n");
}

TEST(ConfigLimits, RefuseDeepNesting) {
  TempDir const dir;
  auto const deep = "log: " + std::string(1'000, '[') + std::string(1'000, ']') + "\n";
  EXPECT_EQ(answer(dir.write("a.yml", deep)),
            "a.yml:1:37: lists and mappings nested deeper than 32\n");
  auto const open = "log: " + std::string(100'000, '[') + "\n";
  EXPECT_THAT(answer(dir.write("a.yml", open)), HasSubstr("nested deeper than 32"));
}

TEST(ConfigLimits, RefuseMoreValuesThanAnybodyWrites) {
  TempDir const dir;
  std::string many = "log: [";
  for (int i = 0; i < 600'000; ++i) many += "0,\n";
  EXPECT_THAT(answer(dir.write("a.yml", many + "]\n")), HasSubstr("more than 500000 values"));
}

TEST(ConfigLimits, RefuseAnAliasBombWithoutExpandingIt) {
  TempDir const dir;
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    auto const last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 8; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_THAT(answer(dir.write("a.yml", bomb)),
              HasSubstr("a.yml:1:5: anchors and aliases are not supported"));
}

TEST(ConfigText, RefusesWhatIsNoUtf8) {
  TempDir const dir;
  EXPECT_EQ(answer(dir.write("a.yml", "log: {}\n# \xff\n")), "a.yml:2:3: expected UTF-8 text\n");
  EXPECT_EQ(answer(dir.write("a.yml", "# \xc0\xaf\n")), "a.yml:1:3: expected UTF-8 text\n");
  EXPECT_EQ(answer(dir.write("a.yml", "# \xed\xa0\x80\n")), "a.yml:1:3: expected UTF-8 text\n");
  EXPECT_EQ(answer(dir.write("a.yml", std::string_view("\xff\xfel\0o\0", 6))),
            "a.yml:1:1: expected UTF-8 text\n");
  EXPECT_EQ(answer(dir.write("a.yml", std::string_view("a\0b", 3))),
            "a.yml:1:2: expected text, got a control character\n");
}

TEST(ConfigFile, NamesWhatCannotBeRead) {
  TempDir const dir;
  EXPECT_EQ(answer(dir.path() / "absent.yml"),
            "absent.yml: can't read absent.yml: No such file or directory\n");
  std::filesystem::create_directory(dir.path() / "folder");
  EXPECT_EQ(answer(dir.path() / "folder"), "folder: can't read folder: Is a directory\n");
  ASSERT_EQ(::mkfifo((dir.path() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(answer(dir.path() / "fifo"), "fifo: can't read fifo: not a regular file\n");
}

}  // namespace
}  // namespace canary::config

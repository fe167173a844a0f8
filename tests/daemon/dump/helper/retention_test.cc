// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/retention.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>

#include "tests/daemon/dump/stuck_child.h"
#include "tests/support/read_file.h"

namespace canary::dump {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RetentionTest : public ::testing::Test {
 protected:
  void add(std::string const& stem, std::string const& signature, Retention const& limits,
           std::size_t bytes = 10) {
    for (char const* const extension : {".raw", ".txt", ".json"}) {
      std::ofstream{directory_.path() + "/" + stem + extension} << std::string(bytes, 'x');
    }
    retain(directory_.path(), limits, {stem, signature, "line of " + stem});
  }
  std::set<std::string> stems() const {
    std::set<std::string> result;
    for (auto const& entry : std::filesystem::directory_iterator(directory_.path())) {
      if (entry.path().extension() == ".raw") result.insert(entry.path().stem().string());
    }
    return result;
  }
  std::string folded() const { return support::read_file(directory_.path() + "/folded.log"); }
  TempDirectory directory_;
};

TEST_F(RetentionTest, RemovesTheOldestBeyondTheCountAndRemembersALineOfIt) {
  Retention const limits{.keep = 2};

  for (char const* const stem : {"c", "b", "a"}) add(stem, stem, limits);

  EXPECT_THAT(stems(), ElementsAre("a", "b"));
  EXPECT_EQ(folded(), "line of c\n");
}

TEST_F(RetentionTest, RemovesTheOldestBeyondTheBytes) {
  Retention const limits{.keep_bytes = 5'000};

  for (char const* const stem : {"c", "b", "a"}) add(stem, stem, limits, 800);

  EXPECT_THAT(stems(), ElementsAre("a", "b"));
}

TEST_F(RetentionTest, NeverRemovesTheNewest) {
  Retention const limits{.keep = 1, .keep_bytes = 10};

  add("a", "a", limits, 5'000);

  EXPECT_THAT(stems(), ElementsAre("a"));
}

TEST_F(RetentionTest, OfRepeatedStallsKeepsTheFirstAndTheLatest) {
  Retention const limits{.keep = 100, .keep_same = 3};
  add("other", "another", limits);

  for (int i = 0; i < 6; ++i) add("s" + std::to_string(i), "same", limits);

  EXPECT_THAT(stems(), ElementsAre("other", "s0", "s4", "s5"));
  EXPECT_THAT(folded(), HasSubstr("line of s1\nline of s2\nline of s3\n"));
}

TEST_F(RetentionTest, CountsDumpsOfAnEarlierProgramAsTheOldest) {
  std::ofstream{directory_.path() + "/old.raw"} << "x";

  add("new", "new", {.keep = 1});

  EXPECT_THAT(stems(), ElementsAre("new"));
}

}  // namespace
}  // namespace canary::dump

// SPDX-License-Identifier: Apache-2.0
// Who watches what, and that one more shard moves its own share and nothing else.
#include "config/shard.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::config {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

constexpr int kProbes = 10'000;

// As people number them: they differ in the last digits alone.
std::string name(int i) { return "mirror-" + std::to_string(i); }

TEST(Shard, IsReadAndWrittenAsIndexAndCount) {
  auto const shard = parse_shard("2/3");
  ASSERT_TRUE(shard) << shard.error();
  EXPECT_EQ(shard.value(), (Shard{.index = 2, .count = 3}));
  EXPECT_EQ(to_text(shard.value()), "2/3");
  EXPECT_TRUE(parse_shard("0/1").value().is_all());
}

TEST(Shard, RefusesWhatNamesNone) {
  for (char const* const text :
       {"", "/", "1", "3/3", "-1/3", "0/0", "0/1025", "1 /3", "a/3", "0/3x", "0/99999999999"}) {
    auto const shard = parse_shard(text);
    ASSERT_FALSE(shard) << text;
    EXPECT_THAT(shard.error(), HasSubstr(std::string{"got "} + text));
  }
}

TEST(Shard, OfEachProbeIsOneAndEachHasItsShare) {
  constexpr int kShards = 7;
  std::vector<int> probes(kShards);
  for (int i = 0; i < kProbes; ++i)
    ++probes.at(static_cast<std::size_t>(shard_of(name(i), kShards)));
  EXPECT_THAT(probes, Each(AllOf(Ge(kProbes / kShards * 9 / 10), Le(kProbes / kShards * 11 / 10))));
}

TEST(Shard, OneMoreTakesItsShareFromAllAlikeAndMovesNothingElse) {
  for (int const before : {1, 2, 3, 9}) {
    std::vector<int> left(static_cast<std::size_t>(before));
    int moved = 0;
    for (int i = 0; i < kProbes; ++i) {
      int const was = shard_of(name(i), before), is = shard_of(name(i), before + 1);
      if (was == is) continue;
      EXPECT_EQ(is, before) << name(i) << " went to a shard that was there before";
      ++moved;
      ++left[static_cast<std::size_t>(was)];
    }
    int const share = kProbes / (before + 1);
    EXPECT_THAT(moved, AllOf(Ge(share * 9 / 10), Le(share * 11 / 10))) << before;
    EXPECT_THAT(left, Each(AllOf(Ge(share / before * 7 / 10), Le(share / before * 13 / 10))));
  }
}

// Shards of different versions run side by side while an upgrade goes on.
TEST(Shard, OfAProbeIsTheSameInEveryVersion) {
  std::vector<int> shards;
  for (int i = 0; i < 8; ++i) shards.push_back(shard_of(name(i), 5));
  EXPECT_THAT(shards, ElementsAre(0, 1, 2, 0, 3, 0, 0, 0));
}

}  // namespace
}  // namespace canary::config

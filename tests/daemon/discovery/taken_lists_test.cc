// SPDX-License-Identifier: Apache-2.0
// What files and lists make together: whose name it is, what a changed configuration leaves of a
// list, and what falls to a shard.
#include "daemon/discovery/taken_lists.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/kind.h"

namespace canary::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

config::ProbeSpec probe(std::string name) {
  config::ProbeSpec spec;
  spec.name.text = std::move(name);
  return spec;
}

// Of these sources, and of probes in files.
config::Config base(std::vector<std::string> const& sources, std::vector<std::string> files = {}) {
  config::Config config;
  for (auto const& name : sources) config.discovery.emplace_back().name = name;
  for (auto& name : files) config.probes.push_back(probe(std::move(name)));
  for (auto const& kind : probes::configured_kinds()) {
    config.defaults.emplace_back().kind = kind.spec;
  }
  return config;
}

FetchedListPointer list(std::string source, std::vector<std::string> const& names) {
  auto made = std::make_shared<FetchedList>();
  made->source = std::move(source);
  made->address = address_of(config::DiscoverySource{});
  std::string text = names.empty() ? "probes: []\n" : "probes:\n";
  for (auto const& name : names) {
    text += "  - {name: " + name + ", tcp: {address: \"a.example:1\"}}\n";
  }
  made->parts = {{"https://" + made->source + ".example/", std::move(text)}};
  return made;
}

std::vector<std::string> names(std::vector<config::ProbeSpec> const& probes) {
  std::vector<std::string> all;
  for (auto const& each : probes) all.push_back(each.name.text);
  return all;
}

std::string why(Result<TakenList, RefusedList> const& refused) {
  return refused ? "it was taken" : refused.error().why;
}

TEST(TakenLists, StandBehindTheFilesInTheOrderOfTheSources) {
  auto const config = base({"x", "a"}, {"own"});
  auto const lists = take_again(config, {list("a", {"a1"}), list("x", {"x1", "x2"})});
  EXPECT_THAT(names(merged(config, lists).probes), ElementsAre("own", "x1", "x2", "a1"));
  EXPECT_THAT(take_again(base({"x"}), lists_of(lists)), SizeIs(1)) << "a source that is gone";
}

TEST(TakenLists, TakeNoNameOfAFileOrOfAnotherList) {
  auto const config = base({"a", "b"}, {"own"});
  auto const lists = take_again(config, {list("a", {"a1"})});
  EXPECT_THAT(why(take_list(config, lists, list("b", {"own"}))),
              HasSubstr("the name own is taken, by a file of the configuration"));
  EXPECT_THAT(why(take_list(config, lists, list("b", {"b1", "a1"}))),
              HasSubstr("the name a1 is taken, by the list of a"));
  EXPECT_THAT(why(take_list(config, lists, list("c", {"c1"}))), HasSubstr("no source"));
  auto const again = take_list(config, lists, list("a", {"a1", "a2"}));
  ASSERT_TRUE(again) << why(again);
  EXPECT_THAT(names(again.value().probes), ElementsAre("a1", "a2"));
}

std::vector<std::string> whose(std::vector<RefusedList> const& refused) {
  std::vector<std::string> all;
  for (auto const& each : refused) all.push_back(each.list->source);
  return all;
}

// What each has in force is the other's from now on.
TEST(TakenLists, MayExchangeNamesWhereBothAreThere) {
  auto const config = base({"a", "b", "c"});
  auto const before = take_again(config, {list("a", {"x", "a1"}), list("b", {"y"})});
  auto lists = before;
  auto const alone = take_lists(config, lists, {list("a", {"y", "a1"})});
  ASSERT_THAT(alone, SizeIs(1));
  EXPECT_TRUE(alone[0].may_fit) << "with a list of b that gives up y";
  EXPECT_THAT(names(lists.at("a").probes), ElementsAre("x", "a1"));

  EXPECT_THAT(take_lists(config, lists, {list("a", {"y", "a1"}), list("b", {"x"})}), IsEmpty());
  EXPECT_THAT(names(lists.at("a").probes), ElementsAre("y", "a1"));
  EXPECT_THAT(names(lists.at("b").probes), ElementsAre("x"));

  lists = before;
  auto const three =
      take_lists(config, lists, {list("a", {"y"}), list("c", {"x"}), list("b", {"b1"})});
  EXPECT_THAT(three, IsEmpty()) << "in whatever order they come";
  EXPECT_THAT(names(lists.at("c").probes), ElementsAre("x"));
}

TEST(TakenLists, ThatExchangeNamesAreNotHeldUpByOneThatIsWrong) {
  auto const config = base({"a", "b", "c"}, {"own"});
  auto lists = take_again(config, {list("a", {"x"}), list("b", {"y"}), list("c", {"c1"})});
  auto const refused =
      take_lists(config, lists, {list("c", {"own", "x"}), list("a", {"y"}), list("b", {"x"})});
  EXPECT_THAT(whose(refused), ElementsAre("c"));
  EXPECT_THAT(names(lists.at("a").probes), ElementsAre("y"));
  EXPECT_THAT(names(lists.at("b").probes), ElementsAre("x"));
  EXPECT_THAT(names(lists.at("c").probes), ElementsAre("c1")) << "its last good one stays";
}

// It would leave x to nobody's list, and y to two.
TEST(TakenLists, ExchangeNothingWhereOneSideIsWrong) {
  auto const config = base({"a", "b"}, {"own"});
  auto lists = take_again(config, {list("a", {"x"}), list("b", {"y"})});
  auto const refused = take_lists(config, lists, {list("a", {"y"}), list("b", {"x", "own"})});
  EXPECT_THAT(whose(refused), ElementsAre("a", "b"));
  EXPECT_THAT(refused.at(0).why, HasSubstr("the name y is taken, by the list of b"));
  EXPECT_THAT(names(lists.at("a").probes), ElementsAre("x"));
  EXPECT_THAT(names(lists.at("b").probes), ElementsAre("y"));
  auto const broken = take_lists(config, lists, {list("a", {"own"})});
  ASSERT_THAT(broken, SizeIs(1));
  EXPECT_FALSE(broken[0].may_fit) << "no other list can make that right";
}

// A look that went on while a reload gave the source another URL, and maybe other rights.
TEST(TakenLists, AreOfTheAddressThatTheirSourceHas) {
  auto elsewhere = std::make_shared<FetchedList>(*list("a", {"a1"}));
  elsewhere->address += "1";
  EXPECT_THAT(why(take_list(base({"a"}), {}, elsewhere)), HasSubstr("was asked for elsewhere"));
}

// A reload is the operator's: what is in force then keeps what there is still a place for.
TEST(TakenLists, GiveWayToAFileThatHasANameNow) {
  auto const lists = take_again(base({"a"}, {"a2"}), {list("a", {"a1", "a2", "a3"})});
  EXPECT_THAT(names(lists.at("a").probes), ElementsAre("a1", "a3"));
  EXPECT_THAT(lists.at("a").error, HasSubstr("a2 is taken"));
  EXPECT_THAT(take_again(base({"a"}), {list("a", {"a1"})}).at("a").error, IsEmpty());
}

TEST(TakenLists, AreDividedAmongShards) {
  std::vector<std::string> all;
  for (int i = 0; i < 60; ++i) all.push_back("p" + std::to_string(i));
  std::size_t kept = 0;
  for (int index = 0; index < 3; ++index) {
    auto config = base({"a"});
    config.shard = {.index = index, .count = 3};
    auto const whole = merged(config, take_again(config, {list("a", all)}));
    EXPECT_EQ(whole.probes.size() + whole.elsewhere, all.size());
    EXPECT_GT(whole.elsewhere, 0U);
    for (auto const& each : whole.probes) {
      EXPECT_EQ(config::shard_of(each.name.text, 3), index);
    }
    kept += whole.probes.size();
  }
  EXPECT_EQ(kept, all.size());
}

// Each shard knows the names of all of them.
TEST(TakenLists, AreJudgedAlikeByEachShard) {
  for (int index = 0; index < 3; ++index) {
    auto config = base({"a", "b"}, {"own", "other", "third"});
    config.shard = {.index = index, .count = 3};
    config::keep_shard(config);
    EXPECT_THAT(why(take_list(config, {}, list("a", {"a1", "third"}))),
                HasSubstr("the name third is taken, by a file"))
        << index;
    auto const lists = take_again(config, {list("a", {"a1", "a2", "a3"})});
    EXPECT_THAT(why(take_list(config, lists, list("b", {"a2"}))),
                HasSubstr("the name a2 is taken, by the list of a"))
        << index;
  }
}

}  // namespace
}  // namespace canary::daemon

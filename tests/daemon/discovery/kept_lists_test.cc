// SPDX-License-Identifier: Apache-2.0
// Lists over a restart: what was kept is found again, and what is damaged is told.
#include "daemon/discovery/kept_lists.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/temp_dir.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

FetchedList fleet() {
  FetchedList list;
  list.source = "fleet";
  list.address = 0xffff'ffff'ffff'fff1;
  list.etag = "W/\"7\"";
  list.parts = {{"https://a.example/1", "probes: []\n"}, {"/lists/2", "# \"ü\"\t\\\nprobes: []\n"}};
  list.fetched = SysTime{1'700'000'000'123ms};
  return list;
}

std::vector<config::DiscoverySource> sources(std::string name = "fleet") {
  config::DiscoverySource source;
  source.name = std::move(name);
  return {source};
}

class KeptLists_ : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return dir_.path() / "discovery"; }
  config::TempDir dir_;
};

TEST_F(KeptLists_, AreFoundAgain) {
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  auto const kept = read_kept_lists(folder(), sources());
  EXPECT_THAT(kept.unusable, IsEmpty());
  ASSERT_THAT(kept.lists, SizeIs(1));
  auto const& list = *kept.lists[0];
  EXPECT_EQ(list.address, fleet().address);
  EXPECT_EQ(list.etag, fleet().etag);
  EXPECT_EQ(list.parts, fleet().parts);
  EXPECT_EQ(list.fetched, fleet().fetched);
  EXPECT_THAT(read_kept_lists(folder(), sources("other")).lists, IsEmpty());
  EXPECT_THAT(std::filesystem::directory_iterator { folder() } -> path().filename(), "fleet.json");
}

TEST_F(KeptLists_, KnowWhenTheyWereConfirmedLast) {
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  auto const file = folder() / "fleet.json";
  auto const hour_ago = std::filesystem::file_time_type::clock::now() - 1h;
  std::filesystem::last_write_time(file, hour_ago);
  auto const before = read_kept_lists(folder(), sources()).lists.at(0)->confirmed;
  ASSERT_EQ(touch_list(folder(), "fleet"), "");
  auto const after = read_kept_lists(folder(), sources()).lists.at(0)->confirmed;
  EXPECT_GE(after - before, 59min);
  EXPECT_LE(after - before, 61min);
  EXPECT_THAT(touch_list(folder(), "other"), HasSubstr("cannot touch"));
}

TEST_F(KeptLists_, ThatAreDamagedAreTold) {
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  for (auto const* text : {"", "{", "{}", "[1]", "{\"format\": 2}"}) {
    std::ofstream{folder() / "fleet.json"} << text;
    auto const kept = read_kept_lists(folder(), sources());
    EXPECT_THAT(kept.lists, IsEmpty()) << text;
    EXPECT_THAT(kept.unusable, ElementsAre(HasSubstr("fleet.json"))) << text;
  }
}

TEST_F(KeptLists_, CannotBeKeptWhereAFileStandsInTheWay) {
  dir_.write("discovery", "x");
  EXPECT_THAT(keep_list(folder(), fleet()), HasSubstr("discovery"));
}

}  // namespace
}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Lists over a restart: what was kept is found again, and what is damaged is told.
#include "daemon/discovery/kept_lists.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
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
using ::testing::Not;
using ::testing::SizeIs;

std::vector<config::DiscoverySource> sources(std::string name = "fleet") {
  config::DiscoverySource source;
  source.name = std::move(name);
  source.url = config::Url::parse("https://lists.example/fleet?token=hush").value();
  return {source};
}

FetchedList fleet() {
  FetchedList list;
  list.source = "fleet";
  list.address = address_of(sources()[0]);
  list.etag = "W/\"7\"";
  list.parts = {{"https://a.example/1", "probes: []\n"}, {"/lists/2", "# \"ü\"\t\\\nprobes: []\n"}};
  list.fetched = SysTime{1'700'000'000'123ms};
  return list;
}

class KeptListsTest : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return dir_.path() / "discovery"; }
  KeptLists read(std::string name = "fleet") const {
    return read_kept_lists(folder(), sources(std::move(name)), now());
  }
  static SysTime now() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  std::string bytes() const {
    std::ifstream file{folder() / "fleet.json"};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  config::TempDir dir_;
};

TEST_F(KeptListsTest, AreFoundAgain) {
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  auto const kept = read();
  EXPECT_THAT(kept.unusable, IsEmpty());
  ASSERT_THAT(kept.lists, SizeIs(1));
  auto const& list = *kept.lists[0];
  EXPECT_EQ(list.address, fleet().address);
  EXPECT_EQ(list.etag, fleet().etag);
  EXPECT_EQ(list.parts, fleet().parts);
  EXPECT_EQ(list.fetched, fleet().fetched);
  EXPECT_THAT(read("other").lists, IsEmpty());
  EXPECT_THAT(std::filesystem::directory_iterator { folder() } -> path().filename(), "fleet.json");
}

TEST_F(KeptListsTest, KnowWhenTheyWereConfirmedLast) {
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  auto const file = folder() / "fleet.json";
  auto const hour_ago = std::filesystem::file_time_type::clock::now() - 1h;
  std::filesystem::last_write_time(file, hour_ago);
  auto const before = read().lists.at(0)->confirmed;
  ASSERT_EQ(touch_list(folder(), "fleet"), "");
  auto const after = read().lists.at(0)->confirmed;
  ASSERT_TRUE(before && after);
  EXPECT_GE(*after - *before, 59min);
  EXPECT_LE(*after - *before, 61min);
  EXPECT_THAT(touch_list(folder(), "other"), HasSubstr("cannot touch"));
}

// The clock was wrong, then or now, or somebody wrote the file.
TEST_F(KeptListsTest, AreOfUnknownAgeWhereTheirTimesAreStillToCome) {
  auto list = fleet();
  list.fetched = now() + 24h;
  ASSERT_EQ(keep_list(folder(), list), "");
  auto const written = read().lists.at(0);
  EXPECT_FALSE(written->fetched);
  ASSERT_TRUE(written->confirmed) << "the file's own time has passed";
  EXPECT_LE(*written->confirmed, now());

  auto const file = folder() / "fleet.json";
  std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() + 24h);
  auto const both = read().lists.at(0);
  EXPECT_FALSE(both->fetched);
  EXPECT_FALSE(both->confirmed);
  EXPECT_EQ(both->parts, list.parts) << "what is on it is in force all the same";

  ASSERT_EQ(keep_list(folder(), *both), "");
  EXPECT_FALSE(read().lists.at(0)->fetched) << "nobody knows it later on";
}

// Of the URL nothing can be told from it, and no two share it.
TEST_F(KeptListsTest, AreOfAnAddressThatHidesAndDivides) {
  auto const address = address_of(sources()[0]);
  EXPECT_EQ(address.size(), 64U);
  EXPECT_EQ(address, "0dc9cb9ca2e2866fcadb8219ca053e84692cfa37aa4a2775a201a5c361c76233");
  auto other = sources()[0];
  other.url = config::Url::parse("https://lists.example/fleet?token=other").value();
  EXPECT_NE(address_of(other), address);
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  EXPECT_THAT(bytes(), Not(HasSubstr("hush")));
}

// Its list is in force; whether its ETag is of the same URL nobody can say.
TEST_F(KeptListsTest, OfTheFormatBeforeAreReadWithoutTheirAddress) {
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  auto text = bytes();
  text.replace(text.find("\"format\":2"), 10, "\"format\":1");
  auto const address = "\"" + fleet().address + "\"";
  text.replace(text.find(address), address.size(), "18446744073709551601");
  std::ofstream{folder() / "fleet.json"} << text;
  auto const kept = read();
  EXPECT_THAT(kept.unusable, IsEmpty());
  ASSERT_THAT(kept.lists, SizeIs(1));
  EXPECT_EQ(kept.lists[0]->address, "");
  EXPECT_EQ(kept.lists[0]->parts, fleet().parts);
}

TEST_F(KeptListsTest, ThatAreDamagedAreTold) {
  ASSERT_EQ(keep_list(folder(), fleet()), "");
  for (auto const* text : {"", "{", "{}", "[1]", "{\"format\": 3}", "{\"format\": 2}"}) {
    std::ofstream{folder() / "fleet.json"} << text;
    auto const kept = read();
    EXPECT_THAT(kept.lists, IsEmpty()) << text;
    EXPECT_THAT(kept.unusable, ElementsAre(HasSubstr("fleet.json"))) << text;
  }
}

TEST_F(KeptListsTest, CannotBeKeptWhereAFileStandsInTheWay) {
  dir_.write("discovery", "x");
  EXPECT_THAT(keep_list(folder(), fleet()), HasSubstr("discovery"));
}

}  // namespace
}  // namespace canary::daemon

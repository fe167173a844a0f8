// SPDX-License-Identifier: Apache-2.0
// What was seen when is kept in few words, and a file that is damaged is told from a good one.
#include "probes/tuf/sightings.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

Time const kExpires = kNow + days{1};

TEST(Sightings, KeepWhenAVersionWasFirstAndLastSeen) {
  Sightings sightings;
  sightings.saw("timestamp", 1, kExpires, kNow);
  sightings.saw("timestamp", 1, kExpires, kNow + hours{2});
  sightings.saw("timestamp", 2, kExpires + days{1}, kNow + hours{3});
  EXPECT_EQ(sightings.of("timestamp"),
            (SeenVersions{{1, kExpires, kNow, kNow + hours{2}},
                          {2, kExpires + days{1}, kNow + hours{3}, kNow + hours{3}}}));
  EXPECT_TRUE(sightings.of("snapshot").empty());
}

TEST(Sightings, AreWorthAWriteNowAndThenOnly) {
  Sightings first;
  first.saw("timestamp", 1, kExpires, kNow);
  EXPECT_TRUE(first.worth_storing());
  auto again = Sightings::parse(first.text("pin"), "pin", kNow);
  ASSERT_TRUE(again);
  again->saw("timestamp", 1, kExpires, kNow + minutes{59});
  EXPECT_FALSE(again->worth_storing());
  again->saw("timestamp", 1, kExpires, kNow + hours{1});
  EXPECT_TRUE(again->worth_storing());
}

TEST(Sightings, KnowAVersionThatComesBack) {
  Sightings sightings;
  sightings.saw("timestamp", 1, kExpires, kNow);
  sightings.saw("timestamp", 2, kExpires, kNow + hours{1});
  sightings.saw("timestamp", 1, kExpires, kNow + hours{2});
  ASSERT_EQ(sightings.of("timestamp").size(), 2U);
  EXPECT_EQ(sightings.of("timestamp").back(), (SeenVersion{1, kExpires, kNow, kNow + hours{2}}));
}

TEST(Sightings, ForgetWhatAClockSawThatWasAhead) {
  Sightings sightings;
  sightings.saw("root", 1, kExpires, kNow + days{300});
  sightings.saw("root", 2, kExpires, kNow);
  EXPECT_EQ(sightings.of("root"), (SeenVersions{{2, kExpires, kNow, kNow}}));
}

TEST(Sightings, AreBoundedInVersionsAndRoles) {
  Sightings sightings;
  for (std::uint64_t version = 1; version <= 9; ++version) {
    sightings.saw("timestamp", version, kExpires, kNow + hours{version});
  }
  ASSERT_EQ(sightings.of("timestamp").size(), Sightings::kVersions);
  EXPECT_EQ(sightings.of("timestamp").front().version, 6U);
  std::string const padding(110, 'x');
  for (int i = 0; i < 2'000; ++i) {
    for (std::uint64_t version = 1; version <= 4; ++version) {
      sightings.saw(padding + std::to_string(i), version, kExpires, kNow + hours{version});
    }
  }
  sightings.saw(std::string(10'000, 'x'), 1, kExpires, kNow);
  EXPECT_TRUE(sightings.of(padding + "1999").empty());
  EXPECT_TRUE(sightings.of(std::string(10'000, 'x')).empty());
  std::string const text = sightings.text("pin");
  EXPECT_LE(text.size(), Sightings::kLongestText);
  EXPECT_EQ(Sightings::parse(text, "pin", kNow), sightings);
}

TEST(Sightings, KeepNamesOfRolesWhateverTheyHold) {
  Sightings sightings;
  for (std::string const role : {"a b", "line\nend 0\n", "%", "\xff", "end 1"}) {
    sightings.saw(role, 1, kExpires, kNow);
  }
  EXPECT_EQ(Sightings::parse(sightings.text("pin"), "pin", kNow), sightings);
}

TEST(Sightings, OfAnotherPinnedRootAreNone) {
  Sightings sightings;
  sightings.saw("root", 1, kExpires, kNow);
  EXPECT_EQ(Sightings::parse(sightings.text("pin"), "other", kNow), Sightings{});
}

TEST(Sightings, LeaveOutRolesThatExpiredLongAgo) {
  Sightings sightings;
  sightings.saw("gone", 1, kNow, kNow - days{7});
  sightings.saw("late", 1, kNow + days{2}, kNow - days{7});
  auto const kept = Sightings::parse(sightings.text("pin"), "pin", kNow + days{31});
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->of("gone").empty());
  EXPECT_FALSE(kept->of("late").empty());
}

// Every shorter beginning, and every line changed.
TEST(Sightings, ThatAreDamagedAreNotUsed) {
  Sightings sightings;
  sightings.saw("root", 1, kExpires, kNow);
  sightings.saw("timestamp", 1, kExpires, kNow);
  std::string const good = sightings.text("pin");
  ASSERT_TRUE(Sightings::parse(good, "pin", kNow));
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(Sightings::parse(good.substr(0, size), "pin", kNow)) << size;
  }
  std::string const head = "canaryd sightings 1 pin\n";
  for (std::string const wrong :
       {"root 1 2 3 4\nend 2\n", "root 1 2 3\nend 1\n", "root 1 2 3 4 5\nend 1\n",
        "root x 2 3 4\nend 1\n", "root -1 2 3 4\nend 1\n", "%zz 1 2 3 4\nend 1\n",
        "root 1 99999999999999 3 4\nend 1\n", "root 1 2 3 4\nend 1\nmore\n", "\nend 1\n",
        "end \n"}) {
    EXPECT_FALSE(Sightings::parse(head + wrong, "pin", kNow)) << wrong;
  }
  EXPECT_FALSE(Sightings::parse("canaryd sightings 2 pin\nend 0\n", "pin", kNow));
}

}  // namespace
}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Which probe is quarantined, and when.
#include "daemon/watchdog/judge/culprits.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "daemon/text/fixed_text.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;
constexpr std::int64_t kWall = 1'700'000'000 * kS;

class NoteCulprit : public testing::Test {
 protected:
  bool note_culprit(std::string_view probe, std::int64_t at, int after,
                    std::int64_t window = 60 * kS) {
    return watchdog::note_culprit(*culprits, probe, at, after, window);
  }
  std::unique_ptr<Culprits> culprits = std::make_unique<Culprits>();
};

TEST_F(NoteCulprit, OutsideOfTheWindowDoesNotCount) {
  EXPECT_FALSE(note_culprit("a", kWall, 2));
  EXPECT_FALSE(note_culprit("a", kWall + 61 * kS, 2));
  EXPECT_TRUE(note_culprit("a", kWall + 62 * kS, 2));
  EXPECT_FALSE(note_culprit("a", kWall + 63 * kS, 2)) << "told once";
}

TEST_F(NoteCulprit, HasRoomForEveryProbeAndPushesNobodyOut) {
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 600; ++i) {
      EXPECT_EQ(note_culprit("bad-" + std::to_string(i), kWall + round, 3), round == 2) << i;
    }
  }
  EXPECT_EQ(culprits->count.load(), 600u);
}

TEST_F(NoteCulprit, MakesRoomByWhoIsNotInQuarantineOnceAllPlacesAreUsed) {
  for (std::size_t i = 0; i < kCulprits; ++i) {
    Culprit each{.quarantined = i == 7 ? 0u : 1u};
    copy_text(each.probe, "bad-" + std::to_string(i));
    culprits->places[i].store(each);
  }
  culprits->count.store(kCulprits);

  EXPECT_TRUE(note_culprit("one more", kWall, 1));

  Culprit seventh;
  ASSERT_TRUE(culprits->places[7].load(seventh));
  EXPECT_STREQ(seventh.probe.data(), "one more");
  EXPECT_FALSE(note_culprit("and another", kWall, 1)) << "nobody in quarantine is let go";
}

}  // namespace
}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// When the loop calls the watchdog still, by its own turns alone.
#include "daemon/app/tick_watch.h"

#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

using Step = TickWatch::Step;

// Turns until something is to be done, `most` at most; how many that took.
int turns_until(TickWatch& watch, Step wanted, TickWatch::Thread thread = {}, int most = 2'000) {
  for (int turn = 1; turn <= most; ++turn) {
    if (watch.turn(7, [&] { return thread; }) == wanted) return turn;
  }
  return 0;
}

class Ticks : public ::testing::Test {
 protected:
  Ticks() {
    watch_.turn(7, [] { return TickWatch::Thread{}; });
  }
  TickWatch watch_;
};

TEST_F(Ticks, ThatComeAreFine) {
  for (int tick = 8; tick < 1'000; ++tick) {
    EXPECT_EQ(watch_.turn(tick, [] { return TickWatch::Thread{}; }), Step::nothing);
  }
}

TEST_F(Ticks, ThatNeverBeganAreNotMissed) {
  TickWatch fresh;
  for (int turn = 0; turn < 1'000; ++turn) {
    EXPECT_EQ(fresh.turn(0, [] { return TickWatch::Thread{}; }), Step::nothing);
  }
}

TEST_F(Ticks, ThatStayAwayAreToldOnceThenEndTheProcess) {
  EXPECT_EQ(turns_until(watch_, Step::stalled), TickWatch::kSaid);
  EXPECT_EQ(turns_until(watch_, Step::end), TickWatch::kEnd - TickWatch::kSaid);
}

TEST_F(Ticks, AreMissedAsSoonByALoopThatWakesLate) {
  int turns = 0;
  auto const look = [] { return TickWatch::Thread{}; };
  while (watch_.turn(7, look, 3) != Step::stalled) ++turns;
  EXPECT_EQ(turns + 1, TickWatch::kSaid / 3);
}

TEST_F(Ticks, CountALongHoldOfEverybodyForLittle) {
  auto const look = [] { return TickWatch::Thread{}; };
  for (int turn = 0; turn < TickWatch::kSaid / TickWatch::kMost; ++turn) {
    EXPECT_EQ(watch_.turn(7, look, 10'000), Step::nothing);
  }
}

TEST_F(Ticks, ThatComeBackAreOver) {
  turns_until(watch_, Step::stalled);
  EXPECT_EQ(watch_.turn(8, [] { return TickWatch::Thread{}; }), Step::over);
  EXPECT_EQ(watch_.turn(9, [] { return TickWatch::Thread{}; }), Step::nothing);
}

TEST_F(Ticks, OfAThreadThatIsGoneAreNotWaitedFor) {
  EXPECT_EQ(turns_until(watch_, Step::ended, {.gone = true}), TickWatch::kLook);
}

TEST_F(Ticks, OfATracedThreadAreSaidAndHaveGraceWithinABound) {
  EXPECT_EQ(turns_until(watch_, Step::stalled, {.traced = true}), TickWatch::kSaid);
  EXPECT_EQ(turns_until(watch_, Step::end, {.traced = true}),
            TickWatch::kEnd + TickWatch::kTracedGrace - TickWatch::kSaid);
}

}  // namespace
}  // namespace canary::daemon

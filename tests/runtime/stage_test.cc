// SPDX-License-Identifier: Apache-2.0
// Thread: main.
#include "runtime/stage.h"

#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "runtime/deadline.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::StartsWith;

TEST(Stage, SaysWhatWasEnteredLastAndSinceWhen) {
  Stage stage;
  EXPECT_EQ(stage.look().what, "");
  EXPECT_EQ(stage.look().age, 0ns);
  stage.enter("reading /a");
  auto const first = stage.look();
  EXPECT_EQ(first.what, "reading /a");
  EXPECT_EQ(first.entered, 1U);
  stage.enter("reading /b");
  EXPECT_EQ(stage.look().what, "reading /b");
  EXPECT_EQ(stage.look().entered, 2U);
  EXPECT_THAT(to_text(stage.look()), StartsWith("reading /b, for 0."));
}

TEST(Stage, ThatGoesOnIsNotStandingStill) {
  Stage stage;
  stage.enter("reading /a");
  while (stage.look().age < 50ms) std::this_thread::yield();
  auto const before = Clock::now();
  stage.goes_on();
  auto const age = stage.look().age;
  EXPECT_LE(age, Clock::now() - before) << "not since it was entered";
  EXPECT_EQ(stage.look().what, "reading /a");
  EXPECT_EQ(stage.look().entered, 2U);
}

TEST(Stage, HoldsNothingThatATerminalObeys) {
  Stage stage;
  stage.enter("reading \x1b[31m/a\n" + std::string(1'000, 'x'));
  EXPECT_THAT(stage.look().what, StartsWith("reading \\x1b[31m/a\\n"));
  EXPECT_LE(stage.look().what.size(), Stage::kBytes);
}

}  // namespace
}  // namespace canary::runtime

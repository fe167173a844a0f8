// SPDX-License-Identifier: Apache-2.0
// Which answers end the matter and which do not.
#include "daemon/push/delivery.h"

#include <string>

#include <gtest/gtest.h>

namespace canary::push {
namespace {

using namespace std::chrono_literals;

TEST(Delivery, TakesAnswersAsTheSpecificationMeansThem) {
  for (int const status : {200, 204}) EXPECT_EQ(outcome_of(status, 1), Outcome::taken) << status;
  for (int const status : {400, 409, 413, 415, 422}) {
    EXPECT_EQ(outcome_of(status, 1), Outcome::refused) << status;
  }
  for (int const status : {0, 301, 408, 429, 502, 503, 504}) {
    EXPECT_EQ(outcome_of(status, 1'000), Outcome::later) << status;
  }
}

// A token that is rotated late, a proxy's path that is wrong for an hour.
TEST(Delivery, KeepsSamplesWhileOnlyTheWayIsWrong) {
  for (int const status : {401, 403, 404, 407}) {
    EXPECT_EQ(outcome_of(status, 1'000), Outcome::later) << status;
  }
}

TEST(Delivery, GivesUpAMessageThatIsAnsweredWithAnErrorAgainAndAgain) {
  EXPECT_EQ(outcome_of(500, kMostErrors - 1), Outcome::later);
  EXPECT_EQ(outcome_of(500, kMostErrors), Outcome::refused);
}

TEST(Delivery, ComesBackSlowerAndSlowerAndNotAllAtOnce) {
  EXPECT_GE(backoff(1, "a"), 750ms);
  EXPECT_LE(backoff(1, "a"), 1'250ms);
  EXPECT_GE(backoff(3, "a"), 3s);
  EXPECT_LE(backoff(3, "a"), 5s);
  for (std::uint32_t const attempts : {6U, 7U, 100U, 4'000'000'000U}) {
    EXPECT_GE(backoff(attempts, "a"), 22'500ms) << attempts;
    EXPECT_LE(backoff(attempts, "a"), 37'500ms) << attempts;
  }
  EXPECT_NE(backoff(4, "a"), backoff(4, "b"));
}

}  // namespace
}  // namespace canary::push

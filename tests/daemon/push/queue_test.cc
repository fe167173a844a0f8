// SPDX-License-Identifier: Apache-2.0
// What waits, in order and within its bound.
#include "daemon/push/queue.h"

#include <gtest/gtest.h>

namespace canary::push {
namespace {

Batch batch(int at, std::size_t bytes) {
  return {.body = std::string(bytes, 'x'),
          .samples = 10,
          .at = SampleTime{std::chrono::milliseconds{at}}};
}

TEST(Queue, GivesTheOldestFirstAndCountsWhatWaits) {
  Queue queue{100};
  EXPECT_EQ(queue.out(), nullptr);
  EXPECT_EQ(queue.put(batch(1, 40)), 0U);
  EXPECT_EQ(queue.put(batch(2, 60)), 0U);
  EXPECT_EQ(queue.samples(), 20U);
  EXPECT_EQ(queue.bytes(), 100U);
  EXPECT_EQ(queue.out()->at, batch(1, 1).at);
  queue.done();
  EXPECT_EQ(queue.oldest(), batch(2, 1).at);
  queue.out();
  queue.done();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0U);
  EXPECT_EQ(queue.oldest(), std::nullopt);
}

TEST(Queue, DropsTheOldestBeyondItsBound) {
  Queue queue{100};
  queue.put(batch(1, 40));
  queue.put(batch(2, 40));
  EXPECT_EQ(queue.put(batch(3, 90)), 20U);
  EXPECT_EQ(queue.samples(), 10U);
  EXPECT_EQ(queue.oldest(), batch(3, 1).at);
}

TEST(Queue, KeepsTheEndsThatWereLostUntilTheyAreAskedFor) {
  Queue queue{100};
  Batch ends = batch(1, 60);
  ends.ended = "m 0\n";
  queue.put(std::move(ends));
  EXPECT_EQ(queue.take_lost_ends(), "");
  queue.put(batch(2, 60));
  EXPECT_EQ(queue.take_lost_ends(), "m 0\n");
  EXPECT_EQ(queue.take_lost_ends(), "");
}

// Its bytes are being sent.
TEST(Queue, KeepsTheOneThatIsOutForSending) {
  Queue queue{100};
  queue.put(batch(1, 50));
  Batch const* const out = queue.out();
  queue.put(batch(2, 50));
  EXPECT_EQ(queue.put(batch(3, 50)), 10U);
  EXPECT_EQ(out, queue.out());
  EXPECT_EQ(out->at, batch(1, 1).at);
  queue.put_back();
  EXPECT_EQ(queue.put(batch(4, 50)), 10U) << "the first can go now";
  EXPECT_EQ(queue.oldest(), batch(3, 1).at);
}

TEST(Queue, TakesOneThatIsLargerThanItsBound) {
  Queue queue{100};
  queue.put(batch(1, 40));
  EXPECT_EQ(queue.put(batch(2, 500)), 10U);
  EXPECT_EQ(queue.samples(), 10U);
}

}  // namespace
}  // namespace canary::push

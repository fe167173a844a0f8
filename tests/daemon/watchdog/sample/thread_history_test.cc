// SPDX-License-Identifier: Apache-2.0
// Which samples of a thread are compared, and what it used in one job.
#include "daemon/watchdog/sample/thread_history.h"

#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kMs = 1'000'000;

ThreadSample sample_at(std::int64_t at, std::int64_t cpu = 0) {
  ThreadSample sample;
  sample.known = true;
  sample.at_ns = at;
  sample.cpu_ns = cpu;
  return sample;
}

TEST(ThreadHistory, WithoutTwoSamplesThereIsNothingToCompareWith) {
  ThreadHistory history;
  EXPECT_FALSE(history.newest().known);
  history.add(sample_at(100 * kMs), 1);

  EXPECT_TRUE(history.newest().known);
  EXPECT_FALSE(history.earlier().known);
}

TEST(ThreadHistory, ComparesWithTheNewestThatIsOldEnough) {
  ThreadHistory history;
  for (int i = 0; i < 10; ++i) history.add(sample_at(i * 100 * kMs), i);

  EXPECT_EQ(history.newest().at_ns, 900 * kMs);
  EXPECT_EQ(history.earlier().at_ns, 700 * kMs);
  EXPECT_EQ(history.earlier_count(), 7u);
}

TEST(ThreadHistory, ComparesWithTheOldestWhereNoneIsOldEnough) {
  ThreadHistory history;
  for (int i = 0; i < 30; ++i) history.add(sample_at(i * kMs), i);

  EXPECT_EQ(history.earlier().at_ns, (30 - ThreadHistory::kSamples) * kMs);
}

TEST(ThreadHistory, IsEmptyOnceCleared) {
  ThreadHistory history;
  history.add(sample_at(kMs), 1);
  history.add(sample_at(300 * kMs), 2);
  history.clear();

  EXPECT_TRUE(history.empty());
  EXPECT_FALSE(history.newest().known);
  EXPECT_FALSE(history.earlier().known);
}

TEST(CpuUsage, IsThatOfTheJobAlone) {
  CpuUsage usage;
  EXPECT_EQ(usage.in(1, sample_at(0, 50 * kMs)), 0) << "first seen";
  EXPECT_EQ(usage.in(1, sample_at(0, 80 * kMs)), 30 * kMs);
  EXPECT_EQ(usage.in(2, sample_at(0, 90 * kMs)), 0) << "another job";
  EXPECT_TRUE(usage.is_of(2));
}

TEST(CpuUsage, OfAThreadWhoseClockIsNotKnownIsNone) {
  CpuUsage usage;
  usage.in(1, sample_at(0, 50 * kMs));
  ThreadSample untimed = sample_at(0, 80 * kMs);
  untimed.timed = false;

  EXPECT_EQ(usage.in(1, untimed), 0);
}

}  // namespace
}  // namespace canary::watchdog

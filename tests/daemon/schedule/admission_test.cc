// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/admission.h"

#include <gmock/gmock.h>

namespace canary::daemon {
namespace {

using Verdict = Admission::Verdict;

Due due(std::string probe) { return {std::move(probe), TimePoint{}, 0}; }

TEST(Admission, NeverStartsASecondRunOfAProbe) {
  Admission admission{{.total = 8, .per_host = 8}};
  admission.offer(due("a"), "host");
  ASSERT_TRUE(admission.admit());
  EXPECT_EQ(admission.offer(due("a"), "host"), Verdict::overlap);
  admission.finished("a");
  EXPECT_EQ(admission.offer(due("a"), "host"), Verdict::queued);
}

TEST(Admission, BoundsAllRuns) {
  Admission admission{{.total = 2, .per_host = 8}};
  for (auto const* name : {"a", "b", "c"}) admission.offer(due(name), name);
  EXPECT_TRUE(admission.admit());
  EXPECT_TRUE(admission.admit());
  EXPECT_FALSE(admission.admit());
  admission.finished("a");
  auto const next = admission.admit();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->due.probe, "c");
}

TEST(Admission, LetsOtherHostsPassAWaitingOne) {
  Admission admission{{.total = 8, .per_host = 1}};
  admission.offer(due("a1"), "a");
  admission.offer(due("a2"), "a");
  admission.offer(due("b1"), "b");
  EXPECT_EQ(admission.admit()->due.probe, "a1");
  EXPECT_EQ(admission.admit()->due.probe, "b1");
  EXPECT_FALSE(admission.admit());
}

TEST(Admission, RefusesAProbeThatStillWaitsForItsTurn) {
  Admission admission{{.total = 1, .per_host = 1}};
  admission.offer(due("a"), "host");
  ASSERT_TRUE(admission.admit());
  EXPECT_EQ(admission.offer(due("b"), "host"), Verdict::queued);
  EXPECT_EQ(admission.offer(due("b"), "host"), Verdict::concurrency);
}

TEST(Admission, StartsWhatAHigherLimitAllowsAndNothingThatALowerOneForbids) {
  Admission admission{{.total = 8, .per_host = 1}};
  for (auto const* name : {"a", "b", "c"}) admission.offer(due(name), "host");
  EXPECT_TRUE(admission.admit());
  EXPECT_FALSE(admission.admit());
  admission.set_limits({.total = 8, .per_host = 2});
  EXPECT_EQ(admission.admit()->due.probe, "b");
  admission.set_limits({.total = 8, .per_host = 1});
  admission.finished("a");
  EXPECT_FALSE(admission.admit()) << "b is still going on";
  admission.finished("b");
  EXPECT_EQ(admission.admit()->due.probe, "c");
  admission.finished("c");
  EXPECT_EQ(admission.running(), 0U);
}

TEST(Admission, StartsInOrderOfArrivalAlsoAfterAWithdrawal) {
  Admission admission{{.total = 8, .per_host = 8}};
  admission.offer(due("a1"), "a");
  admission.offer(due("b1"), "b");
  admission.offer(due("a2"), "a");
  admission.withdraw("a1");
  EXPECT_EQ(admission.waiting(), 2U);
  EXPECT_EQ(admission.admit()->due.probe, "b1");
  EXPECT_EQ(admission.admit()->due.probe, "a2");
  EXPECT_EQ(admission.waiting(), 0U);
}

TEST(Admission, ForgetsTheWaitingRunOfAWithdrawnProbe) {
  Admission admission{{.total = 8, .per_host = 8}};
  admission.offer(due("a"), "host");
  admission.withdraw("a");
  EXPECT_FALSE(admission.admit());
}

}  // namespace
}  // namespace canary::daemon

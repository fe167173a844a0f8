// SPDX-License-Identifier: Apache-2.0
// A few of the allocations that `./canary soak allocations` fails all of.
#include "tests/faults/allocations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::faults {
namespace {

class FailedAllocation : public ::testing::TestWithParam<AllocationPlan> {};

TEST_P(FailedAllocation, EndsInAFindingOrARestartAndNeverInBetween) {
#if defined(CANARY_FAULTS_SANITIZED)
  GTEST_SKIP() << "a sanitizer has an allocator of its own";
#endif
  auto const outcomes = fail_allocations(GetParam());
  EXPECT_THAT(outcomes.wrong, ::testing::IsEmpty());
  EXPECT_GT(outcomes.failed, 0) << "nothing was failed";
}

INSTANTIATE_TEST_SUITE_P(
    Of, FailedAllocation,
    ::testing::Values(
        AllocationPlan{.operation = Operation::run, .first = 3, .stride = 211, .most = 6},
        AllocationPlan{.operation = Operation::reload, .first = 7, .stride = 191, .most = 4},
        AllocationPlan{
            .operation = Operation::scrape, .first = 2, .stride = 37, .count = 20, .most = 4},
        AllocationPlan{.operation = Operation::dump, .first = 2, .stride = 53, .most = 3}),
    [](auto const& plan) { return to_text(plan.param.operation); });

}  // namespace
}  // namespace canary::faults

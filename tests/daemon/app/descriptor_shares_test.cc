// SPDX-License-Identifier: Apache-2.0
// How few descriptors are shared between the server's clients and the probes.
#include "daemon/app/descriptor_shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::Config a_config(int probes) {
  config::Config config;
  config.web.listen_addresses = {"127.0.0.1:9732"};
  config.web.max_connections = 256;
  config.scheduler.max_concurrent_runs = 100;
  config.probes.resize(static_cast<std::size_t>(probes));
  return config;
}

TEST(DescriptorShares, LeaveTheConfigurationAloneWhereThereAreEnough) {
  auto const shares = share_descriptors(65'536, a_config(1'000));
  EXPECT_THAT(shares.cut, IsEmpty());
  EXPECT_THAT(shares.refusal, IsEmpty());
  EXPECT_EQ(shares.max_connections, 256);
  EXPECT_EQ(shares.max_concurrent_runs, 100);
  EXPECT_EQ(shares.spare_connections, 64U);
}

TEST(DescriptorShares, CountNoMoreRunsThanThereAreProbes) {
  EXPECT_THAT(share_descriptors(600, a_config(3)).cut, IsEmpty());
}

// Neither takes what the other needs: one of both at the least, and all of it is within the limit.
TEST(DescriptorShares, CutBothWithinTheLimitAndSayWhatWouldSuffice) {
  for (std::size_t limit : {260, 300, 400, 600, 1'024}) {
    auto const shares = share_descriptors(limit, a_config(1'000));
    SCOPED_TRACE(limit);
    EXPECT_THAT(shares.refusal, IsEmpty());
    EXPECT_GE(shares.max_connections, 4);
    EXPECT_EQ(shares.spare_connections, 0U);
    EXPECT_GE(shares.max_concurrent_runs, 1);
    EXPECT_LT(static_cast<std::size_t>(shares.max_connections + 8 * shares.max_concurrent_runs),
              limit - 100);
    EXPECT_THAT(shares.cut,
                HasSubstr("of " + std::to_string(limit) + " descriptors (RLIMIT_NOFILE)"));
    EXPECT_THAT(shares.cut, HasSubstr("would suffice"));
  }
}

TEST(DescriptorShares, GiveTheProbesWhatTheServerDoesNotWant) {
  auto config = a_config(1'000);
  config.web.max_connections = 8;
  auto const shares = share_descriptors(1'024, config);
  EXPECT_EQ(shares.max_connections, 8);
  EXPECT_GT(shares.max_concurrent_runs, 60);
}

TEST(DescriptorShares, RefuseWhereNotEvenTheLeastCanBeHad) {
  auto const shares = share_descriptors(64, a_config(1));
  EXPECT_THAT(shares.refusal, HasSubstr("descriptors at the least, and may open 64"));
}

}  // namespace
}  // namespace canary::daemon

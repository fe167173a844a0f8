// SPDX-License-Identifier: Apache-2.0
// Delegated roles by the hundred, from a server that takes its time.
#include <gmock/gmock.h>

#include "probes/tuf/probe.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using namespace std::chrono_literals;

constexpr int kRoles = 100;

Repository with_many_roles() {
  Repository repository = a_repository(kNow);
  for (int i = 0; i < kRoles; ++i) {
    auto const name = "role-" + std::to_string(i);
    repository.targets.delegations.push_back({.name = name,
                                              .signers = {.keys = {SigningKey::ed25519("roles")}},
                                              .paths = {name + "/*"}});
    repository.delegated[name] = {.expires = repository.targets.expires};
  }
  return repository;
}

TEST(ManyRoles, AreAskedForSideBySideWhereTheWayIsLong) {
  ProbeWorld world{publish(with_many_roles())};
  world.server.take_time(100ms);
  EXPECT_EQ(bad(world.run()), "");
  EXPECT_GT(world.server.most_at_once(), 5);
  EXPECT_LE(world.server.most_at_once(), 4 + 64 + 1);
  EXPECT_EQ(world.machine.services.spare.taken(), 0U);
}

TEST(ManyRoles, AreAskedForByAFewWhereNoConnectionIsToSpare) {
  ProbeWorld world{publish(with_many_roles())};
  world.machine.services.spare.limit(0);
  world.server.take_time(2ms);
  EXPECT_EQ(bad(world.run()), "");
  EXPECT_LE(world.server.most_at_once(), 5);
}

// Too long to be held beside others, and not too long.
TEST(ManyRoles, MayBeLong) {
  Repository repository = with_many_roles();
  repository.list_lengths = false;
  for (int i = 0; i < 4'000; ++i) {
    auto const role = "role-" + std::to_string(kRoles - 1);
    repository.delegated[role].files.emplace(role + "/" + std::to_string(i) + std::string(150, 'x'),
                                             "");
  }
  Published const published = publish(repository);
  ProbeWorld world{published};
  world.server.take_time(5ms);
  auto const report = world.run();
  EXPECT_EQ(bad(report), "");
  EXPECT_TRUE(report.complete);
}

}  // namespace
}  // namespace canary::tuf

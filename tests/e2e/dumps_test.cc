// SPDX-License-Identifier: Apache-2.0
// `canaryd dump` by many at once, while the dump is slow, and while its disk stands still.
// Thread: main.
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"
#include "tests/support/frozen_disk.h"

namespace canary::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class Dumps : public ::testing::Test {
 protected:
  Dumps() {
    site_.publish("repo", tuf::a_repository(now()));
    config_ = site_.configure({site_.probe("repo")});
  }
  std::string at(char const* name) const { return (site_.path() / name).string(); }
  std::unique_ptr<support::ChildProcess> dump() const {
    return std::make_unique<support::ChildProcess>(command({"dump", "--config", config_}));
  }

  Site site_;
  std::string config_;
};

TEST_F(Dumps, OfManyAtOnceAFewWaitAndTheOthersAreToldSo) {
  constexpr int kMany = 14;
  std::vector<std::string> start{"/usr/bin/env", std::string{"LD_PRELOAD="} + SLOW_DUMP,
                                 "SLOW_DUMP_BEGAN=" + at("began"), "SLOW_DUMP_GO_ON=" + at("go")};
  for (auto const& word : command({"run", "--config", config_})) start.push_back(word);
  Daemon daemon{start};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  std::vector<std::unique_ptr<support::ChildProcess>> dumps;
  dumps.push_back(dump());
  ASSERT_TRUE(support::eventually([&] { return fs::exists(at("began")); })) << daemon.log();
  for (int i = 1; i < kMany; ++i) dumps.push_back(dump());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(daemon.status_of("/metrics"), 200);

  int made = 0;
  for (auto& each : dumps) {
    auto const code = each->exit_code();
    EXPECT_THAT(code, AnyOf(0, 1)) << each->err();
    if (code == 0) ++made;
    if (code != 0) {
      EXPECT_THAT(each->err(), HasSubstr("clients wait for the dump that is being made"));
    }
  }
  EXPECT_GE(made, 8) << "as many as may wait";
  std::ofstream{at("go")} << "now";
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

TEST_F(Dumps, OnADiskThatStandsStillTellWhatCanBeSeenAndKeepNobodyFromStopping) {
  support::FrozenDisk const disk{site_.path()};
  Daemon daemon{disk.around(command({"run", "--config", config_}))};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  disk.freeze(site_.path() / "state" / "run" / "dumps");

  auto const first = dump();
  EXPECT_EQ(first->exit_code(), 0) << first->err();
  EXPECT_THAT(first->out(), HasSubstr("what can be seen without it"));
  EXPECT_THAT(first->out(), HasSubstr("\nTHREADS\n"));
  EXPECT_EQ(daemon.status_of("/metrics"), 200);
  auto const second = dump();
  EXPECT_EQ(second->exit_code(), 0) << second->err();
  EXPECT_THAT(second->out(), HasSubstr("what can be seen without it"));

  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

}  // namespace
}  // namespace canary::e2e

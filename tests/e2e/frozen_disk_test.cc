// SPDX-License-Identifier: Apache-2.0
// File systems that stop answering under a running canaryd: who needs them waits and says so,
// everybody else goes on, and SIGTERM ends it.
// Thread: main.
#include "tests/support/frozen_disk.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class FrozenDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    for (char const* const name : {"good", "bad"}) {
      site_.publish(name, tuf::a_repository(now()));
      probes_.push_back(site_.probe(name, "    timeout: 3s\n"));
    }
  }
  std::vector<std::string> start() {
    auto const config = site_.configure(probes_, "watchdog: {disk_stall: 2s}\n");
    return disk_.around(command({"run", "--config", config}));
  }
  bool goes_on(Daemon& daemon, std::string const& probe) {
    return daemon.reaches(runs_of(probe), daemon.metric(runs_of(probe)).value_or(0) + 3);
  }
  std::optional<double> success(Daemon& daemon, std::string const& probe) {
    return daemon.metric("canaryd_probe_success{probe=\"" + probe + "\"}");
  }

  Site site_;
  support::FrozenDisk disk_{site_.path()};
  std::vector<std::string> probes_;
};

TEST_F(FrozenDisk, RepositoryOfOneProbeHoldsUpNoOther) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"bad\"}", 1)) << daemon.log();
  disk_.freeze(site_.path() / "bad" / "metadata");
  EXPECT_TRUE(daemon.becomes(severity_of("bad", "reachable"), 3)) << daemon.log();
  EXPECT_THAT(daemon.get("/api/v1/probes/bad"), HasSubstr("waits for the disk: no answer for"));
  EXPECT_TRUE(goes_on(daemon, "good")) << daemon.log();
  EXPECT_EQ(success(daemon, "good"), 1);
  EXPECT_TRUE(daemon.becomes("canaryd_files_stalled", 1)) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("bad/metadata/2.root.json"));
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("a disk does not answer; what waits for it is left behind"));
}

TEST_F(FrozenDisk, RepositoryIsWellAgainOnceItAnswers) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"bad\"}", 1)) << daemon.log();
  disk_.freeze(site_.path() / "bad" / "metadata");
  ASSERT_TRUE(daemon.becomes(severity_of("bad", "reachable"), 3)) << daemon.log();
  disk_.thaw();
  EXPECT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"bad\"}", 1)) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

TEST_F(FrozenDisk, StateDirectoryStopsNoProbing) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"good\"}", 1)) << daemon.log();
  disk_.freeze(site_.path() / "state" / "probes");
  EXPECT_TRUE(daemon.becomes(severity_of("good", "store"), 1)) << daemon.log();
  EXPECT_TRUE(goes_on(daemon, "good")) << daemon.log();
  EXPECT_EQ(success(daemon, "good"), 1);
  disk_.thaw();
  EXPECT_TRUE(goes_on(daemon, "good"));
  EXPECT_TRUE(daemon.becomes(severity_of("good", "store"), std::nullopt)) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

// What the next start will not know is named.
TEST_F(FrozenDisk, StateDirectoryKeepsNobodyFromStopping) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"good\"}", 1)) << daemon.log();
  disk_.freeze(site_.path() / "state" / "results");
  EXPECT_TRUE(goes_on(daemon, "good")) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
  EXPECT_THAT(daemon.log(),
              HasSubstr("the state directory did not take in time what was to be remembered"));
  EXPECT_THAT(daemon.log(), ContainsRegex("results=.*good"));
}

// One that holds up a folder holds up neither the others nor the end.
TEST_F(FrozenDisk, FolderOfOneProbeHoldsUpNoOther) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"good\"}", 1)) << daemon.log();
  disk_.freeze(site_.path() / "state" / "probes" / "bad");
  ASSERT_TRUE(daemon.becomes(severity_of("bad", "store"), 1)) << daemon.log();
  EXPECT_TRUE(goes_on(daemon, "good")) << daemon.log();
  EXPECT_TRUE(goes_on(daemon, "bad")) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

}  // namespace
}  // namespace canary::e2e

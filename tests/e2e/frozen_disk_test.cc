// SPDX-License-Identifier: Apache-2.0
// File systems that stop answering under a running canaryd: who needs them waits and says so,
// everybody else goes on, and SIGTERM ends it.
// Thread: main.
#include <filesystem>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

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
    std::vector<std::string> words{"/usr/bin/env", std::string{"LD_PRELOAD="} + FROZEN_FOLDER,
                                   "CANARY_TEST_FREEZE=" + control().string()};
    auto const config = site_.configure(probes_, "watchdog: {disk_stall: 2s}\n");
    for (auto const& word : command({"run", "--config", config})) words.push_back(word);
    return words;
  }
  std::filesystem::path control() const { return site_.path() / "freeze"; }
  // Written aside, so that it is never seen half.
  void freeze(std::filesystem::path const& folder) {
    site_.write("freeze.new", folder.string() + "\n");
    std::filesystem::rename(site_.path() / "freeze.new", control());
  }
  void let_go() { std::filesystem::remove(control()); }
  bool goes_on(Daemon& daemon, std::string const& probe) {
    return daemon.reaches(runs_of(probe), daemon.metric(runs_of(probe)).value_or(0) + 3);
  }
  std::optional<double> success(Daemon& daemon, std::string const& probe) {
    return daemon.metric("canaryd_probe_success{probe=\"" + probe + "\"}");
  }

  Site site_;
  std::vector<std::string> probes_;
};

TEST_F(FrozenDisk, RepositoryOfOneProbeHoldsUpNoOther) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"bad\"}", 1)) << daemon.log();
  freeze(site_.path() / "bad" / "metadata");
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
  freeze(site_.path() / "bad" / "metadata");
  ASSERT_TRUE(daemon.becomes(severity_of("bad", "reachable"), 3)) << daemon.log();
  let_go();
  EXPECT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"bad\"}", 1)) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

TEST_F(FrozenDisk, StateDirectoryStopsNoProbing) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"good\"}", 1)) << daemon.log();
  freeze(site_.path() / "state" / "probes");
  EXPECT_TRUE(daemon.becomes(severity_of("good", "store"), 1)) << daemon.log();
  EXPECT_TRUE(goes_on(daemon, "good")) << daemon.log();
  EXPECT_EQ(success(daemon, "good"), 1);
  let_go();
  EXPECT_TRUE(goes_on(daemon, "good"));
  EXPECT_TRUE(daemon.becomes(severity_of("good", "store"), std::nullopt)) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

TEST_F(FrozenDisk, StateDirectoryKeepsNobodyFromStopping) {
  Daemon daemon{start()};
  ASSERT_TRUE(daemon.becomes("canaryd_probe_success{probe=\"good\"}", 1)) << daemon.log();
  freeze(site_.path() / "state" / "probes");
  ASSERT_TRUE(daemon.becomes(severity_of("good", "store"), 1)) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

}  // namespace
}  // namespace canary::e2e

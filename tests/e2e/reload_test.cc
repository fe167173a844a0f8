// SPDX-License-Identifier: Apache-2.0
// SIGHUP: a new configuration takes over, a bad one does not.
// Thread: main.
#include <algorithm>
#include <csignal>
#include <string_view>

#include <gmock/gmock.h>

#include "daemon/watchdog/memory_file.h"
#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;

TEST(Reload, AddsAndRemovesProbesAndKeepsTheOthersCounters) {
  Site const site;
  for (std::string const name : {"kept", "gone", "fresh"}) {
    site.publish(name, tuf::a_repository(now()));
  }
  Daemon daemon{site.configure({site.probe("kept"), site.probe("gone")})};
  ASSERT_TRUE(daemon.reaches(runs_of("kept"), 2) && daemon.reaches(runs_of("gone"), 1));
  double const runs = *daemon.metric(runs_of("kept"));
  site.configure({site.probe("kept"), site.probe("fresh")});
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(daemon.process().says("configuration reloaded")) << daemon.log();
  EXPECT_TRUE(daemon.reaches(runs_of("fresh"), 1));
  EXPECT_EQ(daemon.metric(runs_of("gone")), std::nullopt);
  EXPECT_GE(daemon.metric(runs_of("kept")).value_or(-1), runs);
  EXPECT_TRUE(daemon.reaches(runs_of("kept"), runs + 1));
  EXPECT_EQ(count(daemon.log(), "\"probe changed state\" probe=kept"), 1U) << daemon.log();
}

TEST(Reload, KeepsTheOldConfigurationWhereTheNewOneIsBad) {
  Site const site;
  site.publish("kept", tuf::a_repository(now()));
  Daemon daemon{site.configure({site.probe("kept")})};
  ASSERT_TRUE(daemon.reaches(runs_of("kept"), 1)) << daemon.log();
  EXPECT_EQ(daemon.metric("canaryd_config_last_reload_successful"), 1);
  std::string const file = site.write("canaryd.yml", "probes:\n  - name: kept\n    tuff: {}\n");
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(daemon.process().says("configuration refused")) << daemon.log();
  EXPECT_TRUE(daemon.becomes("canaryd_config_last_reload_successful", 0));
  EXPECT_THAT(daemon.log(), HasSubstr(file + ":3:5: probes[0].tuff: "));
  double const runs = *daemon.metric(runs_of("kept"));
  EXPECT_TRUE(daemon.reaches(runs_of("kept"), runs + 1));

  site.configure({site.probe("kept")});
  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.becomes("canaryd_config_last_reload_successful", 1)) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0);
}

// The daemon's memory of a probe that hung the loop again and again.
TEST(Reload, LiftsAQuarantine) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  watchdog::StoredMemory memory;
  memory.memory.bytes = sizeof memory.memory;
  memory.memory.process = 1;
  watchdog::Culprit culprit{.quarantined = 1, .stalls = 3};
  std::ranges::copy(std::string_view{"repo"}, culprit.probe.begin());
  memory.culprits.push_back(culprit);
  std::filesystem::create_directories(site.path() / "state/run");
  watchdog::MemoryFile file;
  ASSERT_EQ(file.open(site.path() / "state/run/watchdog-memory"), "");
  ASSERT_TRUE(file.write(memory));
  file.close();
  Daemon daemon{site.configure({site.probe("repo")})};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  std::string const series = "canaryd_probe_quarantined{probe=\"repo\"}";
  ASSERT_TRUE(daemon.becomes(series, 1)) << daemon.get("/metrics");

  daemon.process().signal(SIGHUP);

  EXPECT_TRUE(daemon.becomes(series, 0)) << daemon.log();
  EXPECT_TRUE(daemon.reaches(runs_of("repo"), 1));
}

TEST(Reload, SaysWhatNeedsARestart) {
  Site const site;
  site.publish("kept", tuf::a_repository(now()));
  Daemon daemon{site.configure({site.probe("kept")})};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  site.configure({site.probe("kept")}, "workers: 3\n");
  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.process().says("takes effect at the next restart\" field=workers"))
      << daemon.log();
}

}  // namespace
}  // namespace canary::e2e

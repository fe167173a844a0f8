// SPDX-License-Identifier: Apache-2.0
// SIGHUP: a new configuration takes over, a bad one does not.
// Thread: main.
#include <algorithm>
#include <csignal>
#include <string_view>

#include <gmock/gmock.h>

#include "daemon/watchdog/act/memory_file.h"
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

TEST(ReloadCommand, WaitsAndPrintsWhatHasChanged) {
  Site const site;
  for (std::string const name : {"kept", "gone", "fresh"}) {
    site.publish(name, tuf::a_repository(now()));
  }
  std::string const config = site.configure({site.probe("kept"), site.probe("gone")});
  Daemon daemon{config};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  auto const nothing = canaryd({"reload", "--config", config});
  EXPECT_EQ(nothing.code, 0) << nothing.err;
  EXPECT_EQ(nothing.out, "reloaded; nothing has changed\n");

  site.configure({site.probe("kept"), site.probe("fresh")}, "workers: 3\n");
  auto const ran = canaryd({"reload", "--config", config});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "reloaded\n  workers: 0 -> 3\n  probe fresh: added\n  probe gone: removed\n"
            "  workers takes effect at the next restart\n");
  // It came back after the reload, not before.
  EXPECT_EQ(count(daemon.log(), "configuration reloaded"), 2U) << daemon.log();
}

TEST(ReloadCommand, PrintsEveryProblemOfOneThatIsRefusedAndReturns78) {
  Site const site;
  site.publish("kept", tuf::a_repository(now()));
  std::string const config = site.configure({site.probe("kept")});
  Daemon daemon{config};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  std::string const state = (site.path() / "state").string();
  site.write("canaryd.yml", "wrokers: 1\nprobes:\n  - name: a b\n");
  auto const ran = canaryd({"reload", "--state-directory", state});
  EXPECT_EQ(ran.code, 78);
  EXPECT_EQ(ran.out, "");
  for (char const* const part : {":1:1: wrokers: ", ":3:11: probes[0].name: ", "stays in force"}) {
    EXPECT_THAT(ran.err, HasSubstr(part));
  }
  EXPECT_TRUE(daemon.becomes("canaryd_config_last_reload_successful", 0));
  site.configure({site.probe("kept")});
  EXPECT_EQ(canaryd({"reload", "--state-directory", state}).code, 0);
}

TEST(ReloadCommand, IsNotForThosePassingByAndSaysSoWhereNobodyRuns) {
  Site const site;
  site.publish("kept", tuf::a_repository(now()));
  std::string const config = site.configure({site.probe("kept")});
  {
    Daemon daemon{config};
    ASSERT_TRUE(daemon.ready()) << daemon.log();
    EXPECT_EQ(daemon.status_of("/-/reload/1"), 404);
    EXPECT_EQ(daemon.status_of("/-/reload"), 405) << "only POST asks for one";
  }
  auto const ran = canaryd({"reload", "--config", config});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("no canaryd runs"));
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

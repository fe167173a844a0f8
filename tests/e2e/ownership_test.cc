// SPDX-License-Identifier: Apache-2.0
// One process owns its state directory: a second one is refused, and who looks for it finds it.
// Thread: main.
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Each file below the folder, sorted.
std::vector<std::string> listing(fs::path const& folder) {
  std::vector<std::string> found;
  for (auto const& entry : fs::recursive_directory_iterator{folder}) {
    found.push_back(entry.path().string());
  }
  std::ranges::sort(found);
  return found;
}

class Ownership : public ::testing::Test {
 protected:
  Ownership() { site_.publish("repo", tuf::a_repository(now())); }
  std::string configure() const { return site_.configure({site_.probe("repo")}); }
  fs::path state() const { return site_.path() / "state"; }
  Site site_;
};

TEST_F(Ownership, RefusesASecondProcessThatThenHasTouchedNothing) {
  std::string const config = configure();
  Daemon first{config};
  ASSERT_TRUE(first.reaches(runs_of("repo"), 1)) << first.log();
  // Stopped, the first changes no file of its own between the two looks.
  first.process().signal(SIGSTOP);
  siginfo_t stopped{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(first.process().pid()), &stopped, WSTOPPED), 0);
  auto const before = listing(state());

  auto const second = canaryd({"run", "--config", config});

  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("canaryd process " + std::to_string(first.process().pid()) +
                                    " owns " + state().string()));
  EXPECT_EQ(listing(state()), before);
  first.process().signal(SIGCONT);
  // The first still has its dumps, its socket and its memory.
  auto const dump = canaryd({"dump", "--config", config});
  EXPECT_EQ(dump.code, 0) << dump.err;
  EXPECT_TRUE(first.reaches("canaryd_watchdog_dumps_total", 1));
  EXPECT_EQ(first.metric("canaryd_watchdog_dumps_failed_total"), 0);
  first.process().signal(SIGKILL);
  ASSERT_EQ(first.process().exit_code(), 128 + SIGKILL);
  Daemon third{config};
  ASSERT_TRUE(third.ready()) << third.log();
  EXPECT_EQ(third.metric("canaryd_last_exit_unclean"), 1);
}

TEST_F(Ownership, OfTheRuntimeDirectoryIsRefusedToo) {
  std::string const runtime = "RUNTIME_DIRECTORY=" + (site_.path() / "run").string();
  support::ChildProcess first{command({"run", "--config", configure()}), {runtime}};
  ASSERT_TRUE(first.says("msg=monitoring")) << first.err();
  std::string other = tuf::read_file(configure());
  other.replace(other.find("/state\n"), 7, "/other\n");

  auto const second =
      support::run(command({"run", "--config", site_.write("other.yml", other)}), {runtime});

  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr(" owns " + (site_.path() / "run").string()));
}

TEST_F(Ownership, IsGivenBackWithTheProcessWhateverItDiedOf) {
  std::string const config = configure();
  {
    Daemon first{config};
    ASSERT_TRUE(first.ready()) << first.log();
    first.process().signal(SIGKILL);
    ASSERT_EQ(first.process().exit_code(), 128 + SIGKILL);
  }
  Daemon second{config};
  EXPECT_TRUE(second.ready()) << second.log();
}

TEST_F(Ownership, OutlivesTheRemovalOfEveryFile) {
  std::string const config = configure();
  Daemon first{config};
  ASSERT_TRUE(first.ready()) << first.log();
  for (auto const& name : listing(state())) {
    if (!fs::is_directory(name)) fs::remove(name);
  }

  EXPECT_EQ(canaryd({"run", "--config", config}).code, 1);
}

TEST_F(Ownership, LeadsStatusToTheProcessWhereverItsSocketIs) {
  std::string const config = configure();
  support::ChildProcess daemon{command({"run", "--config", config}),
                               {"RUNTIME_DIRECTORY=" + (site_.path() / "elsewhere").string()}};
  ASSERT_TRUE(daemon.says("msg=monitoring")) << daemon.err();

  auto const status = canaryd({"status", "--config", config});

  EXPECT_EQ(status.code, 0) << status.err;
  EXPECT_THAT(status.out, HasSubstr("executor: turns"));
  EXPECT_EQ(canaryd({"dump", "--state-directory", state().string()}).code, 0);
}

TEST_F(Ownership, SaysThatNobodyRunsThoughASocketIsLeft) {
  std::string const config = configure();
  {
    Daemon daemon{config};
    ASSERT_TRUE(daemon.ready()) << daemon.log();
    daemon.process().signal(SIGKILL);
    daemon.process().exit_code();
  }
  ASSERT_TRUE(fs::exists(state() / "run/canaryd.sock"));
  for (std::string const verb : {"status", "dump"}) {
    auto const ran = canaryd({verb, "--config", config});
    EXPECT_EQ(ran.code, verb == "status" ? 3 : 1);
    EXPECT_THAT(ran.err,
                HasSubstr("no canaryd runs: nobody holds the lock of " + state().string()));
  }
}

TEST_F(Ownership, SaysWhereTheProcessDoesNotAnswer) {
  std::string const config = configure();
  Daemon daemon{config};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  fs::remove(state() / "run/canaryd.sock");

  auto const status = canaryd({"status", "--config", config});

  EXPECT_EQ(status.code, 3);
  EXPECT_THAT(status.err,
              HasSubstr("canaryd process " + std::to_string(daemon.process().pid()) + " owns " +
                        state().string() + " and does not answer at " +
                        (state() / "run/canaryd.sock").string() + ": No such file or directory"));
}

// Of the service's folders another user sees that they are there, or not even that.
TEST_F(Ownership, SaysToAnotherUserWhoMayAsk) {
  std::vector<std::string> as_nobody{
      "/usr/bin/setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "--", CANARYD,
      "--version"};
  if (support::run(as_nobody).code != 0) GTEST_SKIP() << "cannot become another user here";
  fs::permissions(site_.path(), fs::perms{0755});
  Daemon daemon{configure()};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  as_nobody.pop_back();
  as_nobody.insert(as_nobody.end(), {"status", "--state-directory", state().string()});
  for (auto const mode : {0755, 0700}) {
    fs::permissions(state(), static_cast<fs::perms>(mode));
    auto const ran = support::run(as_nobody);
    EXPECT_EQ(ran.code, 3);
    EXPECT_THAT(ran.err, HasSubstr("Permission denied")) << mode;
    EXPECT_THAT(ran.err, HasSubstr("; ask as root (sudo) or as the user that canaryd runs as\n"));
  }
}

TEST_F(Ownership, NamesEachPlaceThatWasTriedInVain) {
  auto const ran = canaryd({"status", "--state-directory", "/nowhere/at/all"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err,
              HasSubstr("no canaryd was found; tried: cannot open /nowhere/at/all: No such "
                        "file or directory; cannot open /nowhere/at/all/run: "));
  EXPECT_THAT(ran.err, HasSubstr("/run/canaryd"));
}

class UnreadableConfig : public Ownership, public ::testing::WithParamInterface<char const*> {};

TEST_P(UnreadableConfig, IsAnErrorAndNoSilentDefault) {
  std::string const verb = GetParam();
  auto const missing = canaryd({verb, "--config", "/nowhere/canaryd.yml"});
  EXPECT_EQ(missing.code, verb == "status" ? 3 : 1);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere/canaryd.yml: No such file or directory"));
  EXPECT_THAT(missing.err, HasSubstr("--state-directory DIR"));
  auto const broken =
      canaryd({verb, "--config", site_.write("broken.yml", "state_directory: [1\n")});
  EXPECT_EQ(broken.code, verb == "status" ? 3 : 1);
  EXPECT_THAT(broken.err, HasSubstr("broken.yml:"));
}

INSTANTIATE_TEST_SUITE_P(Of, UnreadableConfig, ::testing::Values("status", "dump"),
                         [](auto const& info) { return std::string{info.param}; });

// An operator's shell has none of the daemon's secrets.
TEST_F(Ownership, IsFoundWithoutTheSecretsOfTheConfiguration) {
  std::string const config = site_.configure(
      {site_.probe("repo", "    http: {headers: {X-Token: {environment: CANARY_TEST_TOKEN}}}\n")});
  support::ChildProcess daemon{command({"run", "--config", config}), {"CANARY_TEST_TOKEN=x"}};
  ASSERT_TRUE(daemon.says("msg=monitoring")) << daemon.err();

  EXPECT_EQ(canaryd({"status", "--config", config}).code, 0);
}

// As a user who may not write there; root may everywhere.
TEST_F(Ownership, OfWhatMayNotBeWrittenIsNamedAtTheStart) {
  fs::create_directories(state() / "probes/repo");
  std::string const config = configure();
  for (auto const& each : {site_.path(), state(), state() / "probes", state() / "probes/repo"}) {
    fs::permissions(each, fs::perms{0755});
  }
  auto start = command({"run", "--config", config});
  start.insert(start.begin(),
               {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"});
  if (support::run(
          {"/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "--", CANARYD, "--version"})
          .code != 0) {
    GTEST_SKIP() << "cannot become another user, or that one cannot run canaryd";
  }
  Daemon daemon{start};
  ASSERT_TRUE(daemon.reaches(runs_of("repo"), 1)) << daemon.log();
  auto const log = daemon.log();
  auto const told =
      log.find("directory=" + (state() / "probes").string() + " detail=\"Permission denied\"");
  EXPECT_NE(told, std::string::npos) << log;
  EXPECT_LT(told, log.find("msg=monitoring"));
  EXPECT_EQ(daemon.stop(), 0);
}

}  // namespace
}  // namespace canary::e2e

// SPDX-License-Identifier: Apache-2.0
// `canaryd demo` as a program: six repositories and a key, their states, and nothing left at the
// end. Thread: main.
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;

TEST(Demo, ShowsItsStatesAndLeavesNothingBehind) {
  Site const site;
  auto const temporary = site.path() / "tmp";
  std::filesystem::create_directory(temporary);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // what the demo would orphan becomes ours
  {
    Daemon daemon{{"/usr/bin/env", "TMPDIR=" + temporary.string(), CANARYD, "demo",
                   "--web.listen-address", "127.0.0.1:0"}};
    ASSERT_TRUE(daemon.ready()) << daemon.log();
    EXPECT_FALSE(is_empty(temporary));
    for (std::string const each :
         {"healthy ok", "expiring-soon warning", "expired critical", "corrupted-target critical",
          "trickling unknown", "unreachable unknown", "archive-key warning"}) {
      auto const blank = each.find(' ');
      std::string const line = "probe=" + each.substr(0, blank) +
                               " from=\"not looked at before\" to=" + each.substr(blank + 1);
      EXPECT_TRUE(daemon.process().says(line)) << line << "\n" << daemon.log();
    }
    EXPECT_EQ(daemon.metric("canaryd_probe_success{probe=\"healthy\"}"), 1);
    EXPECT_EQ(daemon.metric("canaryd_probe_success{probe=\"unreachable\"}"), 0);
    EXPECT_THAT(daemon.process().out(), HasSubstr("/metrics"));
    daemon.process().signal(SIGINT);
    EXPECT_EQ(daemon.process().exit_code(), 0) << daemon.log();
  }
  // The dump helper ends by itself, as soon as it sees that canaryd has gone.
  EXPECT_TRUE(
      support::eventually([] { return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD; }));
  EXPECT_TRUE(is_empty(temporary));
}

TEST(Demo, SignsIntoAFolderAndLeavesIt) {
  Site const site;
  std::string const folder = (site.path() / "new/demo").string();
  auto const ran = canaryd({"demo", "--sign", folder});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(count(ran.out, "\n"), 6U) << ran.out;
  auto const check =
      canaryd({"check", "--root", folder + "/roots/healthy.root.json", "--metadata-url",
               "file://" + folder + "/repositories/healthy/metadata", "--targets-url",
               "file://" + folder + "/repositories/healthy/targets", "--targets", "all"});
  EXPECT_EQ(check.code, 0) << check.out << check.err;
}

TEST(Demo, OpensAnotherPortWhereItsOwnIsTaken) {
  Site const site;
  Daemon first{{CANARYD, "demo", "--web.listen-address", "127.0.0.1:0"}};
  ASSERT_TRUE(first.ready());
  std::string const log = first.log();
  auto const from = log.find("127.0.0.1:", log.find("msg=listening"));
  std::string const taken = log.substr(from, log.find_first_of(" \n", from) - from);
  Daemon second{{CANARYD, "demo", "--web.listen-address", taken}};
  EXPECT_TRUE(second.ready()) << second.log();
  EXPECT_EQ(second.stop(), 0);
  EXPECT_EQ(first.stop(), 0);
}

}  // namespace
}  // namespace canary::e2e

// SPDX-License-Identifier: Apache-2.0
// What canaryd remembers from one process to the next, and what happens where it cannot.
// Thread: main.
#include <gmock/gmock.h>

#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;

TEST(State, SurvivesARestartSoThatARollbackIsSeen) {
  Site const site;
  auto repository = tuf::a_repository(now());
  repository.timestamp.version = 7;
  site.publish("repo", repository);
  std::string const config = site.configure({site.probe("repo")});
  {
    Daemon first{config};
    ASSERT_TRUE(first.becomes("canaryd_probe_success{probe=\"repo\"}", 1)) << first.log();
    ASSERT_EQ(first.stop(), 0);
  }
  repository.timestamp.version = 6;
  site.publish("repo", repository);
  Daemon second{config};
  EXPECT_TRUE(second.becomes(severity_of("repo", "rollback"), 2)) << second.log();
  ASSERT_TRUE(second.process().says("to=critical"));
  EXPECT_THAT(second.log(), HasSubstr("reason=rollback"));
}

TEST(State, ThatCannotBeKeptIsAFindingAndStopsNothing) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  site.write("state", "a file where the folder should be");
  Daemon daemon{site.configure({site.probe("repo")})};
  EXPECT_TRUE(daemon.becomes(severity_of("repo", "store"), 1)) << daemon.log();
  EXPECT_TRUE(daemon.reaches(runs_of("repo"), 3));
  EXPECT_EQ(daemon.metric("canaryd_probe_success{probe=\"repo\"}"), 1);
  EXPECT_THAT(daemon.log(), HasSubstr("what was trusted is not remembered"));
  EXPECT_EQ(daemon.stop(), 0);
}

// A file system of our own: full after a page, or read-only.
class StateOn : public ::testing::TestWithParam<char const*> {};

TEST_P(StateOn, ThatFileSystemIsAFindingAndStopsNothing) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  std::filesystem::create_directory(site.path() / "state");
  std::string const state = (site.path() / "state").string();
  std::vector<std::string> start{
      "/usr/bin/unshare",
      "--mount",
      "--map-root-user",
      "/bin/sh",
      "-c",
      std::string{"mount -t tmpfs -o "} + GetParam() + " tmpfs \"$0\" && exec \"$@\"",
      state};
  auto probe = start;
  probe.insert(probe.end(), {"/bin/true"});
  if (support::run(probe).code != 0) GTEST_SKIP() << "no mount namespaces here";
  for (auto const& word : command({"run", "--config", site.configure({site.probe("repo")})})) {
    start.push_back(word);
  }
  Daemon daemon{start};
  EXPECT_TRUE(daemon.becomes(severity_of("repo", "store"), 1)) << daemon.log();
  EXPECT_TRUE(daemon.reaches(runs_of("repo"), 3));
  EXPECT_EQ(daemon.metric("canaryd_probe_success{probe=\"repo\"}"), 1);
  EXPECT_EQ(daemon.stop(), 0);
}

INSTANTIATE_TEST_SUITE_P(Either, StateOn, ::testing::Values("size=4k", "ro"), [](auto const& each) {
  return std::string{each.param} == "ro" ? "ReadOnly" : "Full";
});

}  // namespace
}  // namespace canary::e2e

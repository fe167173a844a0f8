// SPDX-License-Identifier: Apache-2.0
// Commands that run once, while a file that they read stands still: they end by their limit, at
// Ctrl-C at once, and say what they stood at.
// Thread: main.
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"
#include "tests/support/frozen_disk.h"

namespace canary::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class BoundedCommands : public ::testing::Test {
 protected:
  BoundedCommands() { site_.publish("repo", tuf::a_repository(now())); }
  std::string at(std::string const& name) const { return (site_.path() / name).string(); }
  // Opening it waits until somebody writes to it, and nobody does.
  std::string a_fifo() const {
    auto const path = at("fifo");
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  // The environment in which what `path` names, or holds, is frozen.
  std::vector<std::string> frozen(std::string const& path) const {
    disk_.freeze(path);
    return disk_.environment();
  }
  std::vector<std::string> check_with_ca(std::string const& timeout) const {
    return command({"check", "--root", site_.pinned_root("repo"), "--metadata-url",
                    "https://127.0.0.1:9/metadata", "--ca-file", at("fifo"), "--timeout", timeout,
                    "--output", "json"});
  }

  Site site_;
  support::FrozenDisk disk_{site_.path()};
};

TEST_F(BoundedCommands, CheckEndsByItsTimeoutWhileTheCaFileStandsStill) {
  a_fifo();
  auto const ran = support::run(check_with_ca("1s"));
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, HasSubstr("\"severity\":\"unknown\"")) << ran.err;
}

TEST_F(BoundedCommands, CheckEndsAtCtrlCWhileTheCaFileStandsStill) {
  auto const ca = site_.write("fifo", "");
  support::ChildProcess check{check_with_ca("1h"), frozen(ca)};
  ASSERT_TRUE(disk_.holds_somebody()) << check.err();
  check.signal(SIGINT);
  EXPECT_EQ(check.exit_code(), 3);
  EXPECT_THAT(check.out(), AllOf(HasSubstr("\"complete\":false"), HasSubstr("interrupted"),
                                 HasSubstr("it stood in")));
}

TEST_F(BoundedCommands, CheckOfARootThatStandsStillEndsByItsTimeout) {
  auto const root = a_fifo();
  auto const ran = canaryd({"check", "--root", root, "--timeout", "500ms"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("gave up after 500ms"), HasSubstr("reading " + root)));
}

class Interrupted : public BoundedCommands, public ::testing::WithParamInterface<char const*> {};

// Each reads the configuration, or where the daemon is, from a disk that is frozen.
TEST_P(Interrupted, EndsAtCtrlCAndNamesWhatStandsStill) {
  std::string const name = GetParam();
  auto const config = site_.configure({site_.probe("repo")});
  std::vector<std::string> words;
  std::string path = config;
  int code = 78;
  if (name == "config_check") words = {"config", "check", config};
  if (name == "config_show") words = {"config", "show", config};
  if (name == "status") words = {"status", "--config", config}, code = 3;
  if (name == "dump") words = {"dump", "--config", config}, code = 1;
  if (name == "check_root") {
    path = site_.pinned_root("repo");
    words = {"check", "--root", path};
    code = 3;
  }
  if (name == "check") words = {"check", "--config", config}, code = 3;
  if (name == "status_of_a_folder") {
    path = at("state");
    words = {"status", "--state-directory", path};
    code = 3;
  }
  support::ChildProcess program{command(words), frozen(path)};
  ASSERT_TRUE(disk_.holds_somebody()) << program.err();
  program.signal(SIGINT);
  EXPECT_EQ(program.exit_code(), code) << program.out() << program.err();
  EXPECT_THAT(program.err(), AllOf(HasSubstr("interrupted; it was at"), HasSubstr(path)));
}

INSTANTIATE_TEST_SUITE_P(Of, Interrupted,
                         ::testing::Values("config_check", "config_show", "status", "dump", "check",
                                           "check_root", "status_of_a_folder"),
                         [](auto const& info) { return std::string{info.param}; });

TEST_F(BoundedCommands, ClientEndsWhereNothingMoves) {
  fs::create_directory(at("client"));
  fs::copy_file(site_.pinned_root("repo"), at("client/root.json"));
  auto const ran =
      support::run({TUF_CLIENT, "--stall-timeout", "500ms", "--metadata-dir", at("client"),
                    "--metadata-url", site_.metadata_url("repo"), "refresh"},
                   frozen(at("client")));
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, AllOf(HasSubstr("nothing moved for 500ms"), HasSubstr("it stood in")));
}

TEST_F(BoundedCommands, ClientsInitEndsAtCtrlC) {
  support::ChildProcess program{
      {TUF_CLIENT, "--metadata-dir", at("client"), "init", site_.pinned_root("repo")},
      frozen(site_.pinned_root("repo"))};
  ASSERT_TRUE(disk_.holds_somebody()) << program.err();
  program.signal(SIGINT);
  EXPECT_EQ(program.exit_code(), 1);
  EXPECT_THAT(program.err(), AllOf(HasSubstr("interrupted"), HasSubstr("repo.root.json")));
}

}  // namespace
}  // namespace canary::e2e

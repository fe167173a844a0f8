// SPDX-License-Identifier: Apache-2.0
// Signals that somebody sends from outside: those that mean something work whatever came before.
// Thread: main.
#include <csignal>
#include <fstream>

#include <gmock/gmock.h>

#include "tests/e2e/site.h"
#include "tests/support/hostile_server.h"

namespace canary::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Programs that wait for a server that says nothing.
class Waiting : public ::testing::TestWithParam<char const*> {
 protected:
  Waiting() {
    site_.publish("repo", tuf::a_repository(now()));
    server_.on_any(support::raw_then_silence("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"));
    fs::create_directory(site_.path() / "client");
    fs::copy_file(site_.pinned_root("repo"), site_.path() / "client/root.json");
  }
  std::vector<std::string> start() const {
    std::string const url = server_.url("/metadata");
    if (std::string{GetParam()} == "check") {
      return command({"check", "--root", site_.pinned_root("repo"), "--metadata-url", url,
                      "--output", "json"});
    }
    return {TUF_CLIENT, "--metadata-dir", (site_.path() / "client").string(), "--metadata-url",
            url,        "refresh"};
  }
  // Without it the server's silence would have ended it some time, too.
  static bool was_interrupted(support::ChildProcess& program) {
    auto const code = program.exit_code();
    if (std::string{GetParam()} == "check") {
      return code == 3 && program.out().find("\"complete\":false") != std::string::npos;
    }
    return code == 1 && program.err().find("interrupted") != std::string::npos;
  }
  Site site_;
  support::HostileServer server_;
};

TEST_P(Waiting, StaysNotDeafToSigtermAfterSigusr2) {
  support::ChildProcess program{start()};
  ASSERT_TRUE(server_.wait_for_requests(1)) << program.err();
  for (int i = 0; i < 3; ++i) program.signal(SIGUSR2);
  program.signal(SIGTERM);
  EXPECT_TRUE(was_interrupted(program)) << program.out() << program.err();
}

TEST_P(Waiting, EndsAtOnceOnCtrlC) {
  support::ChildProcess program{start()};
  ASSERT_TRUE(server_.wait_for_requests(1)) << program.err();
  program.signal(SIGINT);
  EXPECT_TRUE(was_interrupted(program)) << program.out() << program.err();
}

TEST_P(Waiting, StopsAtALimitOfCpuTime) {
  support::ChildProcess program{start()};
  ASSERT_TRUE(server_.wait_for_requests(1)) << program.err();
  program.signal(SIGXCPU);
  EXPECT_TRUE(was_interrupted(program)) << program.out() << program.err();
}

INSTANTIATE_TEST_SUITE_P(Of, Waiting, ::testing::Values("check", "tuf_client"),
                         [](auto const& info) { return std::string{info.param}; });

TEST(Signals, ThatMeanNothingToTheDaemonAreToldAndIgnored) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  Daemon daemon{site.configure({site.probe("repo")})};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  for (auto const& [number, name] : {std::pair{SIGUSR2, "USR2"}, std::pair{SIGALRM, "ALRM"},
                                     std::pair{SIGPROF, "PROF"}, std::pair{SIGVTALRM, "VTALRM"}}) {
    daemon.process().signal(number);
    EXPECT_TRUE(daemon.process().says(std::string{"was ignored\" signal="} + name)) << daemon.log();
  }
  EXPECT_EQ(daemon.stop(), 0);
}

// The watchdog may be in the midst of a dump, which has the log's last lines, while all else stops.
TEST(Stop, WaitsForADumpThatIsSlow) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  auto const at = [&site](char const* name) { return (site.path() / name).string(); };
  support::ChildProcess daemon{
      command({"run", "--config", site.configure({site.probe("repo")})}),
      // Freed memory is overwritten, so that who reads it reads nothing.
      {std::string{"LD_PRELOAD="} + SLOW_DUMP, "SLOW_DUMP_BEGAN=" + at("began"),
       "SLOW_DUMP_GO_ON=" + at("go-on"), "GLIBC_TUNABLES=glibc.malloc.perturb=90"}};
  ASSERT_TRUE(daemon.says("msg=monitoring")) << daemon.err();
  daemon.signal(SIGUSR1);
  ASSERT_TRUE(support::eventually([&] { return fs::exists(at("began")); })) << daemon.err();
  daemon.signal(SIGTERM);
  ASSERT_TRUE(daemon.says("msg=stopped")) << daemon.err();
  // What ends before the watchdog has ended by now.
  auto const only_the_watchdog_is_left = [&] {
    for (auto const& each :
         fs::directory_iterator{"/proc/" + std::to_string(daemon.pid()) + "/task"}) {
      auto const name = tuf::read_file(each.path() / "comm");
      if (name == "loop\n" || name == "disk\n" || name == "cpu\n") return false;
    }
    return true;
  };
  ASSERT_TRUE(support::eventually(only_the_watchdog_is_left)) << daemon.err();
  std::ofstream{at("go-on")} << "now";

  EXPECT_EQ(daemon.exit_code(), 0) << daemon.err();
  EXPECT_THAT(daemon.err(), HasSubstr("a dump was written"));
  auto const text = site.path() / "state/dumps/dump-000001-request.txt";
  ASSERT_TRUE(support::eventually([&] { return fs::exists(text); })) << daemon.err();
  EXPECT_THAT(tuf::read_file(text), HasSubstr("msg=monitoring"));
}

}  // namespace
}  // namespace canary::e2e

// SPDX-License-Identifier: Apache-2.0
// The daemon while a file stands still that it reads at its start or in a reload: signals are taken
// at once, what stands still is named, and what runs goes on.
// Thread: main.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include "tests/e2e/site.h"
#include "tests/support/frozen_disk.h"
#include "tests/support/sanitizer.h"

namespace canary::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kReloadSucceeded[] = "canaryd_config_last_reload_successful";

// What a service manager hears.
class NotifySocket {
 public:
  explicit NotifySocket(fs::path const& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~NotifySocket() { ::close(socket_); }
  NotifySocket(NotifySocket const&) = delete;
  NotifySocket& operator=(NotifySocket const&) = delete;
  bool hears(std::string const& text, std::size_t times = 1) {
    return support::eventually([&] { return count(heard(), text) >= times; });
  }
  std::string const& heard() {
    char bytes[4'096];
    for (ssize_t size = 0; (size = ::recv(socket_, bytes, sizeof bytes, 0)) > 0;) {
      heard_.append(bytes, static_cast<std::size_t>(size)).append("\n");
    }
    return heard_;
  }

 private:
  int socket_ = -1;
  std::string heard_;
};

class Frozen : public ::testing::Test {
 protected:
  Frozen() {
    site_.publish("repo", tuf::a_repository(now()));
    fs::create_directory(site_.path() / "conf.d");
    config_ = site_.configure({site_.probe("repo")}, "include: conf.d/*.yml\n");
  }
  std::string at(char const* name) const { return (site_.path() / name).string(); }
  // `patience` is --watchdog.step-stall.
  std::vector<std::string> run(std::string const& patience = "60s") const {
    auto start =
        disk_.around(command({"run", "--config", config_, "--watchdog.step-stall", patience}));
    start.insert(start.begin() + 1, "NOTIFY_SOCKET=" + at("notify"));
    return start;
  }
  // A file that the configuration includes from now on, frozen.
  std::string add_frozen_include() const {
    auto const file = site_.write("conf.d/more.yml", "probes: []\n");
    disk_.freeze(file);
    return file;
  }

  Site site_;
  support::FrozenDisk disk_{site_.path()};
  std::string config_;
  NotifySocket notify_{site_.path() / "notify"};
};

TEST_F(Frozen, AReloadThatStandsStillIsToldAndEverythingElseGoesOn) {
  Daemon daemon{run("500ms")};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  ASSERT_TRUE(notify_.hears("READY=1"));
  auto const file = add_frozen_include();

  daemon.process().signal(SIGHUP);

  EXPECT_TRUE(daemon.process().says("the reload did not end in time")) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("step=\"reading " + file));
  EXPECT_TRUE(daemon.becomes(kReloadSucceeded, 0));
  EXPECT_TRUE(notify_.hears("RELOADING=1")) << notify_.heard();
  EXPECT_TRUE(notify_.hears("READY=1", 2)) << notify_.heard();
  EXPECT_TRUE(daemon.reaches(runs_of("repo"), daemon.metric(runs_of("repo")).value_or(0) + 1));

  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.process().says("reload refused")) << daemon.log();

  disk_.thaw();
  auto const reloaded = [&] {
    daemon.process().signal(SIGHUP);
    return daemon.log().find("configuration reloaded") != std::string::npos;
  };
  EXPECT_TRUE(support::eventually(reloaded)) << daemon.log();
  EXPECT_TRUE(daemon.becomes(kReloadSucceeded, 1));
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

TEST_F(Frozen, ADumpIsWrittenWhileAReloadStandsStill) {
  Daemon daemon{run()};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  add_frozen_include();
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(disk_.holds_somebody()) << daemon.log();
  daemon.process().signal(SIGUSR1);
  EXPECT_TRUE(daemon.process().says("a dump was written")) << daemon.log();
}

TEST_F(Frozen, SigtermEndsInOrderWhileAReloadStandsStill) {
  Daemon daemon{run()};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  auto const file = add_frozen_include();
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(disk_.holds_somebody()) << daemon.log();

  EXPECT_EQ(daemon.stop(), 0) << daemon.log();

  EXPECT_THAT(daemon.log(), AllOf(HasSubstr("left for the stop"), HasSubstr(file),
                                  HasSubstr("msg=stopped clean=true")));
}

TEST_F(Frozen, AStartSaysWhatItReadsBeforeItDoesAndSigtermEndsIt) {
  disk_.freeze(config_);
  support::ChildProcess daemon{run()};
  EXPECT_TRUE(daemon.says("reading=" + config_)) << daemon.err();
  EXPECT_TRUE(notify_.hears("STATUS=starting: reading " + config_)) << notify_.heard();
  ASSERT_TRUE(disk_.holds_somebody()) << daemon.err();

  daemon.signal(SIGTERM);

  EXPECT_EQ(daemon.exit_code(), 1);
  EXPECT_THAT(daemon.err(), AllOf(HasSubstr("stopped during a start that stands still"),
                                  HasSubstr("step=\"reading " + config_)));
}

// It has been there since before the first file was opened.
TEST_F(Frozen, AStartIsWatchedWhileTheConfigurationStandsStill) {
  disk_.freeze(config_);
  support::ChildProcess daemon{run()};
  ASSERT_TRUE(disk_.holds_somebody()) << daemon.err();
  std::set<std::string> threads;
  std::set<std::string> const wanted{"watchdog\n", "emergency\n", "log\n", "control\n"};
  // Each gives itself its name.
  EXPECT_TRUE(support::eventually([&] {
    threads.clear();
    for (auto const& each :
         fs::directory_iterator{"/proc/" + std::to_string(daemon.pid()) + "/task"}) {
      threads.insert(support::read_file(each.path() / "comm"));
    }
    return std::ranges::includes(threads, wanted);
  })) << testing::PrintToString(threads);
  disk_.thaw();
  EXPECT_TRUE(daemon.says("msg=monitoring")) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.exit_code(), 0) << daemon.err();
}

// More runs than the tables have room for at first: every thread has its row in the larger ones.
TEST_F(Frozen, ALargeConfigurationHasTheSameThreadsInItsTables) {
  if (support::kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer has a thread of its own";
  std::string text = support::read_file(config_);
  text.insert(text.find("start_spread"), "max_concurrent_runs: 3000, ");
  config_ = site_.write("canaryd.yml", text);
  Daemon daemon{run()};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  EXPECT_TRUE(support::eventually([&] {
    auto const state = boost::json::parse(daemon.get("/api/v1/executor"));
    auto const& threads = state.at("threads").as_array();
    return std::ranges::all_of(threads,
                               [](auto const& each) { return each.as_object().contains("kind"); });
  })) << daemon.get("/api/v1/executor");
  EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

TEST_F(Frozen, AStartThatStandsStillIsGivenUp) {
  disk_.freeze(at("state"));
  support::ChildProcess daemon{run("300ms")};
  EXPECT_EQ(daemon.exit_code(), 1);
  EXPECT_THAT(daemon.err(), AllOf(HasSubstr("cannot start: a step does not come to its end"),
                                  HasSubstr("step=\"taking the lock of " + at("state"))));
}

TEST_F(Frozen, AStartThatComesAlongAfterAllStopsInOrder) {
  disk_.freeze(at("state"));
  support::ChildProcess daemon{run()};
  ASSERT_TRUE(disk_.holds_somebody()) << daemon.err();
  daemon.signal(SIGTERM);
  disk_.thaw();
  EXPECT_EQ(daemon.exit_code(), 0) << daemon.err();
}

TEST_F(Frozen, SystemdIsAskedForPatienceOnlyWithinABound) {
  disk_.freeze(config_);
  support::ChildProcess daemon{run("300ms")};
  EXPECT_EQ(daemon.exit_code(), 1);
  EXPECT_LE(count(notify_.heard(), "EXTEND_TIMEOUT_USEC="), 2U) << notify_.heard();
}

}  // namespace
}  // namespace canary::e2e

// SPDX-License-Identifier: Apache-2.0
// What systemd hears while the daemon starts, reloads and stops: a real watchdog's thread, and the
// test at the other end of its notification socket.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/watchdog.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

using namespace std::chrono_literals;
using runtime::LoopRecord;
using runtime::RunRecord;
using testing::Contains;
using testing::Not;
using testing::StartsWith;

constexpr auto kPatience = 20s;  // a limit of the test, never what it measures
constexpr char kMoreTime[] = "EXTEND_TIMEOUT_USEC=20000000";

class Phases : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/canaryd-phases-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    std::string const path = directory_ / "notify";
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ASSERT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    watchdog =
        std::make_unique<Watchdog>(Options{.settings = settings, .memory_directory = directory_});
  }
  void TearDown() override {
    ::unsetenv("NOTIFY_SOCKET");
    watchdog.reset();
    tables.loop().beats.store(0);
    tables.loop().state.store(LoopRecord::not_started);
    for (auto& run : tables.runs()) run.state.store(RunRecord::free);
    ::close(socket_);
    std::filesystem::remove_all(directory_);
  }

  std::vector<std::string> const& heard() {
    char bytes[4096];
    for (;;) {
      auto const got = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got < 0) return heard_;
      heard_.emplace_back(bytes, static_cast<std::size_t>(got));
    }
  }
  template <class Matcher>
  bool hears(Matcher const& what) {
    auto const limit = std::chrono::steady_clock::now() + kPatience;
    while (!testing::Value(heard(), Contains(what))) {
      if (std::chrono::steady_clock::now() > limit) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // The watchdog has looked that often since.
  void let_it_tick(std::uint64_t times) {
    auto const& ticks = watchdog->record().ticks;
    std::uint64_t const from = ticks.load();
    while (ticks.load() < from + times) std::this_thread::yield();
  }
  std::ptrdiff_t times_more() { return std::ranges::count(heard(), std::string{kMoreTime}); }
  void run_a_probe(std::size_t index) {
    auto& run = tables.runs()[index];
    run.kind.store(RunRecord::probe);
    run.started_ns.store(runtime::now_ns());
    run.progress_ns.store(runtime::now_ns());
    run.deadline_ns.store(INT64_MAX);
    run.ask_cancel.store(0);
    run.generation.store(run.generation.load() + 1);
    run.state.store(RunRecord::running);
  }
  void become_ready() {
    tables.loop().beats.store(1);
    watchdog->ready();
    ASSERT_TRUE(hears("READY=1"));
  }

  config::WatchdogSettings settings;
  runtime::Tables& tables = runtime::make_tables({.runs = 16, .operations = 64});
  std::unique_ptr<Watchdog> watchdog;

 private:
  std::filesystem::path directory_;
  int socket_ = -1;
  std::vector<std::string> heard_;
};

TEST_F(Phases, AStepOfTheStartIsToldAndGivenTimeOnce) {
  watchdog->progressed("opening the listeners");

  EXPECT_TRUE(hears("STATUS=starting: opening the listeners"));
  EXPECT_TRUE(hears(kMoreTime));
  let_it_tick(15);  // more than the second within which none is asked for anyhow
  EXPECT_EQ(times_more(), 1) << "no step, no time";

  watchdog->progressed("waiting for the loop's first beat");
  EXPECT_TRUE(hears("STATUS=starting: waiting for the loop's first beat"));
  let_it_tick(1);
  EXPECT_EQ(times_more(), 2);
}

TEST_F(Phases, ReadyComesOnlyOnceTheLoopHasTurned) {
  watchdog->ready();
  let_it_tick(3);
  EXPECT_THAT(heard(), Not(Contains("READY=1")));

  become_ready();
}

TEST_F(Phases, AReloadSaysWhatItReadsAndEndsReady) {
  become_ready();
  watchdog->reloading();
  watchdog->progressed("reading /etc/canaryd/canaryd.yml");
  EXPECT_TRUE(hears(StartsWith("RELOADING=1\nMONOTONIC_USEC=")));
  EXPECT_TRUE(hears("STATUS=reloading: reading /etc/canaryd/canaryd.yml"));
  watchdog->reloaded();
  let_it_tick(2);

  EXPECT_EQ(std::ranges::count(heard(), std::string{"READY=1"}), 2);
}

TEST_F(Phases, AStopIsGivenTimeForEachRunThatEndsAndForNoneThatDoesNot) {
  become_ready();
  run_a_probe(0);
  run_a_probe(1);
  let_it_tick(10);  // runs are counted every half a second
  watchdog->stopping(1h);
  EXPECT_TRUE(hears("STOPPING=1"));
  EXPECT_TRUE(hears("STATUS=stopping; runs that unwind: 2"));
  let_it_tick(12);
  EXPECT_EQ(times_more(), 0);

  tables.runs()[0].state.store(RunRecord::free);

  EXPECT_TRUE(hears(kMoreTime));
  EXPECT_TRUE(hears("STATUS=stopping; runs that unwind: 1"));
  let_it_tick(12);
  EXPECT_EQ(times_more(), 1);
}

// systemd restarts what it does not hear of (WatchdogSec=): it hears only while the loop turns.
class Feeding : public Phases {
 protected:
  void SetUp() override {
    ::setenv("WATCHDOG_USEC", "400000", 1);  // a ping each 100 ms
    settings.loop_suspect = 50ms;
    settings.loop_stall = 100ms;
    settings.loop_hung = 200ms;
    settings.loop_dead = 1h;
    settings.on_dead = config::WatchdogSettings::OnDead::report;
    Phases::SetUp();
    become_ready();
  }
  void TearDown() override {
    Phases::TearDown();
    ::unsetenv("WATCHDOG_USEC");
    tables.loop().handler_since_ns.store(0);
    tables.loop().beat_due_ns.store(0);
  }
  std::ptrdiff_t pings() { return std::ranges::count(heard(), std::string{"WATCHDOG=1"}); }
  void beat(std::chrono::nanoseconds next) {
    tables.loop().state.store(LoopRecord::in_run);
    tables.loop().handlers.fetch_add(1);
    tables.loop().beats.fetch_add(1);
    tables.loop().beat_due_ns.store(runtime::now_ns() + next.count());
  }
};

TEST_F(Feeding, GoesOnWithEachBeat) {
  for (std::ptrdiff_t wanted = 1; wanted <= 3; ++wanted) {
    auto const before = pings();
    auto const limit = std::chrono::steady_clock::now() + kPatience;
    while (pings() == before && std::chrono::steady_clock::now() < limit) {
      beat(1h);
      let_it_tick(1);
    }
    EXPECT_GT(pings(), before);
  }
}

// Late for nobody yet, but the beat does not come.
TEST_F(Feeding, EndsWithTheBeatsOfTheLoop) {
  beat(1h);
  let_it_tick(3);
  auto const before = pings();

  let_it_tick(15);

  EXPECT_EQ(pings(), before);
}

// A loop that is far behind counts beats still, one for each handler of minutes.
TEST_F(Feeding, EndsOnceTheLoopHangsWhateverItCounts) {
  tables.loop().state.store(LoopRecord::in_run);
  tables.loop().handler.store(1);
  tables.loop().handler_since_ns.store(runtime::now_ns());
  tables.loop().beat_due_ns.store(runtime::now_ns());
  auto const level = [this] {
    return static_cast<Level>(watchdog->record().executor_level.load());
  };
  auto const limit = std::chrono::steady_clock::now() + kPatience;
  while (level() < Level::hung) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit);
    std::this_thread::yield();
  }
  auto const before = pings();

  for (int i = 0; i < 15; ++i) {
    tables.loop().beats.fetch_add(1);
    let_it_tick(1);
  }

  EXPECT_GE(level(), Level::hung);
  EXPECT_EQ(pings(), before);
}

}  // namespace
}  // namespace canary::watchdog

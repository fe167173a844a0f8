// SPDX-License-Identifier: Apache-2.0
// A real HTTP server that is broken, a real watchdog, and real scrapers: whoever connects is
// answered, and by the server again once it can.
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/server.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/tables.h"
#include "tests/daemon/publish/plain_client.h"
#include "tests/support/child_process.h"
#include "tests/support/temporary_folder.h"

namespace {

std::atomic<bool> allocations_fail{false};

// Of the server's threads, which are named by it.
bool fails_here() {
  if (!allocations_fail.load(std::memory_order_relaxed)) return false;
  char name[16] = {};
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return std::string_view{name} == "http";
}

void* allocate(std::size_t size) {
  void* const memory = fails_here() ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using tests::Client;

constexpr int kScrapers = 20;

class TakenOver : public ::testing::Test {
 protected:
  TakenOver() {
    runtime::make_tables({.runs = 8, .operations = 64});
    config::WatchdogSettings settings;
    settings.server_stall = 600ms;
    settings.on_dead = config::WatchdogSettings::OnDead::report;
    watchdog_ = std::make_unique<watchdog::Watchdog>(
        watchdog::Options{.settings = settings, .memory_directory = folder_.path()});
    config::WebSettings web;
    web.listen_addresses = {"127.0.0.1:0"};
    auto started = Server::start(web,
                                 {.store = store_,
                                  .healthy = [] { return Health{}; },
                                  .live = [] { return Health{}; },
                                  .log_lines_dropped =
                                      [this] {
                                        hold_here();
                                        return std::uint64_t{0};
                                      },
                                  .wall_clock = [] { return SysTime{1'790'000'000s}; },
                                  .answering = &watchdog_->answering(),
                                  .asking = &watchdog_->asking()},
                                 (folder_.path() / "socket").string());
    EXPECT_TRUE(started) << (started ? "" : started.error());
    server_ = std::move(started).value();
    watchdog_->answer_for_server_on(server_->sockets(), {});
    address_ = server_->addresses().front();
  }
  ~TakenOver() override {
    allocations_fail.store(false);
    hold(false);
    watchdog_->leave_server_alone();
    server_.reset();
    watchdog_.reset();
  }

  void hold(bool held) {
    {
      std::lock_guard const lock{mutex_};
      held_ = held;
    }
    changed_.notify_all();
  }
  void hold_here() {
    std::unique_lock lock{mutex_};
    if (held_) stuck_.fetch_add(1);
    changed_.wait(lock, [this] { return !held_; });
  }
  // A scrape over a connection of its own; "" for one that fails in any way.
  std::string scrape() const {
    auto const reply = Client{address_}.request("GET", "/metrics");
    return reply.status == 200 ? reply.body : "";
  }
  bool by_watchdog() const {
    return scrape().find("\ncanaryd_emergency_page 1\n") != std::string::npos;
  }
  bool by_server() const {
    return scrape().find("canaryd_config_last_reload_successful") != std::string::npos &&
           watchdog_->record().emergency_since_ns.load() == 0;
  }
  template <class How>
  int of_many(How const& how) const {
    int good = 0;
    for (int i = 0; i < kScrapers; ++i) good += how() ? 1 : 0;
    return good;
  }

  support::TemporaryFolder folder_;
  ResultStore store_{DaemonFacts{.version = "", .revision = "", .started = SysTime{1s}}};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::atomic<int> stuck_{0};
  std::unique_ptr<watchdog::Watchdog> watchdog_;
  std::unique_ptr<Server> server_;
  std::string address_;
};

// Its threads live, accept, and have no memory for an answer.
TEST_F(TakenOver, EveryScraperIsAnsweredWhileTheServersAllocationsFail) {
  EXPECT_EQ(of_many([this] { return by_server(); }), kScrapers);
  allocations_fail.store(true);
  ASSERT_TRUE(support::eventually([this] { return by_watchdog(); }));
  EXPECT_EQ(of_many([this] { return by_watchdog(); }), kScrapers);
  EXPECT_EQ(Client{address_}.request("GET", "/-/healthy").status, 503);
  EXPECT_GE(watchdog_->record().emergency_answers[0].load(), std::uint64_t{kScrapers});

  allocations_fail.store(false);
  ASSERT_TRUE(support::eventually([this] { return by_server(); })) << "it has its listeners back";
  EXPECT_EQ(of_many([this] { return by_server(); }), kScrapers);
}

TEST_F(TakenOver, EveryScraperIsAnsweredWhileTheServersThreadsAreStuck) {
  hold(true);
  // What a thread has taken is lost to its client: one for each of the two.
  std::vector<std::unique_ptr<Client>> lost;
  ASSERT_TRUE(support::eventually([&] {
    if (std::ssize(lost) > stuck_.load()) return stuck_.load() == 2;
    lost.push_back(std::make_unique<Client>(address_));
    lost.back()->send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    return false;
  }));
  EXPECT_EQ(of_many([this] { return by_watchdog(); }), kScrapers);

  hold(false);
  ASSERT_TRUE(support::eventually([this] { return by_server(); }));
  EXPECT_EQ(of_many([this] { return by_server(); }), kScrapers);
}

TEST_F(TakenOver, AStopFreesTheAddressWhileTheListenersAreTaken) {
  allocations_fail.store(true);
  ASSERT_TRUE(support::eventually([this] { return by_watchdog(); }));
  watchdog_->leave_server_alone();
  allocations_fail.store(false);
  server_->stop();
  EXPECT_TRUE(support::eventually([this] { return !Client{address_}.connected(); }));
}

// Where a password is asked for, the page goes to nobody but this machine's own canaryd.
TEST_F(TakenOver, NobodyOutsideIsAnsweredWhereAPasswordIsAskedFor) {
  watchdog_->guard_listeners(1);
  allocations_fail.store(true);
  auto const privately = [this] {
    return Client{(folder_.path() / "socket").string()}.request("GET", "/metrics").body;
  };
  ASSERT_TRUE(support::eventually(
      [&] { return privately().find("\ncanaryd_emergency_page 1\n") != std::string::npos; }));
  Client outside{address_};
  outside.send("GET /metrics HTTP/1.1\r\nHost: canary\r\n\r\n");
  EXPECT_EQ(outside.read_reply(false).status, 0) << "hung up on";
  allocations_fail.store(false);
  ASSERT_TRUE(support::eventually([this] { return by_server(); }));
}

}  // namespace
}  // namespace canary::daemon

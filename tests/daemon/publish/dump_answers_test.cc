// SPDX-License-Identifier: Apache-2.0
// Dumps that many ask for at once: one is made, a few wait, and the server's threads stay free.
#include "daemon/publish/dump_answers.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/server.h"
#include "tests/daemon/publish/plain_client.h"
#include "tests/support/temporary_folder.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using runtime::Clock;
using runtime::Deadline;
using tests::Client;
using Taken = DumpAnswers::Taken;
using ::testing::HasSubstr;

constexpr auto kPatience = 60s;  // a limit of the test, never what it measures
constexpr Clock::time_point kNow{1'000s};

// A dump that is made once it is let go.
class Making {
 public:
  std::string operator()(std::stop_token stop) {
    made_.fetch_add(1);
    std::unique_lock lock{mutex_};
    changed_.wait(lock, stop, [this] { return go_on_; });
    return "the dump";
  }
  void let_go() {
    {
      std::lock_guard const lock{mutex_};
      go_on_ = true;
    }
    changed_.notify_all();
  }
  int made() const { return made_.load(); }
  DumpAnswers::Make make() {
    return [this](std::stop_token stop) { return (*this)(std::move(stop)); };
  }

 private:
  std::atomic<int> made_{0};
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool go_on_ = false;
};

class Asking : public ::testing::Test {
 protected:
  ~Asking() override {
    answers_.close();
    making_.let_go();
    EXPECT_TRUE(answers_.wait_for_end(Deadline::after(kPatience)));
  }
  Taken ask(Clock::time_point now = kNow) {
    return answers_.ask([] {}, [this](DumpAnswers::Text text) { come_.push_back(text); }, now);
  }

  Making making_;
  std::vector<DumpAnswers::Text> come_;  // read when the dump has ended
  DumpAnswers answers_{making_.make()};
};

TEST_F(Asking, OneDumpIsMadeForAllWhoAskWhileItIsMade) {
  for (std::size_t i = 0; i < DumpAnswers::kMostWaiting; ++i) EXPECT_EQ(ask(), Taken::waits);
  EXPECT_EQ(ask(), Taken::too_many);

  making_.let_go();
  ASSERT_TRUE(answers_.wait_for_end(Deadline::after(kPatience)));

  EXPECT_EQ(making_.made(), 1);
  ASSERT_EQ(come_.size(), DumpAnswers::kMostWaiting);
  for (auto const& text : come_) {
    ASSERT_NE(text, nullptr);
    EXPECT_EQ(*text, "the dump");
  }
  EXPECT_EQ(ask(), Taken::waits) << "a new one";
  ASSERT_TRUE(answers_.wait_for_end(Deadline::after(kPatience)));
  EXPECT_EQ(making_.made(), 2);
}

TEST_F(Asking, WhoWaitedForTooLongIsLetGoAndNobodyWaitsForWhatStandsStill) {
  EXPECT_EQ(ask(), Taken::waits);
  EXPECT_EQ(ask(kNow + 5s), Taken::waits);
  answers_.look(kNow + DumpAnswers::kPatience - 1ms);
  EXPECT_EQ(come_.size(), 0U);
  answers_.look(kNow + DumpAnswers::kPatience);
  ASSERT_EQ(come_.size(), 1U);
  EXPECT_EQ(come_.front(), nullptr);
  EXPECT_EQ(ask(kNow + DumpAnswers::kPatience), Taken::stands_still);
  answers_.look(kNow + 5s + DumpAnswers::kPatience);
  EXPECT_EQ(come_.size(), 2U);
}

TEST_F(Asking, ACloseLetsAllGoAndEndsWhatIsBeingMade) {
  EXPECT_EQ(ask(), Taken::waits);
  answers_.close();
  EXPECT_EQ(come_.size(), 1U);
  EXPECT_EQ(ask(), Taken::refused);
  EXPECT_TRUE(answers_.wait_for_end(Deadline::after(kPatience)));
}

class DumpServer : public ::testing::Test {
 protected:
  DumpServer() {
    config::WebSettings settings;
    settings.listen_addresses = {"127.0.0.1:0"};
    auto started = Server::start(settings,
                                 {.store = store_,
                                  .healthy = [] { return Health{}; },
                                  .live = [] { return Health{}; },
                                  .log_lines_dropped = [] { return std::uint64_t{0}; },
                                  .wall_clock = [] { return SysTime{1'790'000'000s}; },
                                  .executor_text = [] { return std::string{"the tables"}; },
                                  .dumps = &answers_},
                                 private_);
    EXPECT_TRUE(started) << (started ? "" : started.error());
    server_ = std::move(started).value();
  }
  ~DumpServer() override {
    server_.reset();
    making_.let_go();
    EXPECT_TRUE(answers_.wait_for_end(Deadline::after(kPatience)));
  }
  std::unique_ptr<Client> asks() {
    auto client = std::make_unique<Client>(private_);
    client->send("GET /debug/dump HTTP/1.1\r\nHost: x\r\n\r\n");
    return client;
  }
  int status(std::string const& where, char const* path) {
    return Client{where}.request("GET", path).status;
  }

  support::TemporaryFolder folder_;
  std::string const private_ = (folder_.path() / "socket").string();
  ResultStore store_{DaemonFacts{.version = "", .revision = "", .started = SysTime{1s}}};
  Making making_;
  DumpAnswers answers_{making_.make()};
  std::unique_ptr<Server> server_;
};

TEST_F(DumpServer, AnswersEverybodyElseWhileManyWaitForADump) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 24; ++i) clients.push_back(asks());
  // Who is refused hears so at once, whichever they are.
  std::vector<Client*> waiting;
  std::size_t refused = 0;
  auto const until = Clock::now() + kPatience;
  std::vector<bool> heard(clients.size());
  while (refused + DumpAnswers::kMostWaiting < clients.size() && Clock::now() < until) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (heard[i] || !clients[i]->has_more_within(1ms)) continue;
      heard[i] = true;
      ++refused;
      auto const reply = clients[i]->read_reply(false);
      EXPECT_EQ(reply.status, 503);
      EXPECT_EQ(reply.headers.at("retry-after"), "3");
      EXPECT_THAT(reply.body, HasSubstr("8 clients wait for the dump that is being made"));
    }
  }
  EXPECT_EQ(refused, clients.size() - DumpAnswers::kMostWaiting);

  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(status(private_, "/-/healthy"), 200);
    EXPECT_EQ(status(private_, "/metrics"), 200);
    EXPECT_EQ(status(server_->addresses().front(), "/metrics"), 200);
  }
  EXPECT_EQ(making_.made(), 1);

  making_.let_go();
  for (std::size_t i = 0; i < clients.size(); ++i) {
    if (heard[i]) continue;
    auto const reply = clients[i]->read_reply(false);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "the dump");
  }
}

TEST_F(DumpServer, KeepsAConnectionForAnotherRequestAfterADump) {
  auto const client = asks();
  making_.let_go();
  EXPECT_EQ(client->read_reply(false).body, "the dump");
  EXPECT_EQ(client->request("GET", "/-/healthy").status, 200);
  EXPECT_EQ(client->request("GET", "/debug/dump").body, "the dump");
}

// More than may be connected: those that wait are not cut to make room.
TEST_F(DumpServer, DoesNotCutWhoWaitsForOthers) {
  auto const client = asks();
  while (making_.made() == 0) std::this_thread::yield();
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 2 * Server::kPrivateConnections; ++i) {
    idle.push_back(std::make_unique<Client>(private_));
  }
  EXPECT_EQ(status(private_, "/-/healthy"), 200);
  making_.let_go();
  EXPECT_EQ(client->read_reply(false).body, "the dump");
}

TEST_F(DumpServer, StopsWhileSomebodyWaits) {
  auto const client = asks();
  while (making_.made() == 0) std::this_thread::yield();
  server_->stop();
  EXPECT_TRUE(answers_.wait_for_end(Deadline::after(kPatience)));
}

TEST_F(DumpServer, GivesNoDumpToOthersThanThisMachine) {
  EXPECT_EQ(status(server_->addresses().front(), "/debug/dump"), 404);
  EXPECT_EQ(making_.made(), 0);
}

}  // namespace
}  // namespace canary::daemon

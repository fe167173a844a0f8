// SPDX-License-Identifier: Apache-2.0
// The HTTP server and clients that are slow, idle, gone, many, or more than there is room for.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/sample/self_channels.h"
#include "tests/daemon/publish/exposition_parser.h"
#include "tests/daemon/publish/server_fixture.h"
#include "tests/support/sanitizer.h"

namespace canary::daemon {
namespace {

TEST_F(ServerTest, IsNotHeldUpByClientsThatSendHalfARequestOrReadNothing) {
  start();
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Client>(address()));
    slow.back()->send(i % 2 == 0 ? "GET /metrics HT" : "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_EQ(Client(address()).request("GET", "/metrics").status, 200);
}

TEST_F(ServerTest, BoundsTheMemoryThatClientsHoldWhoDoNotRead) {
  std::vector<ProbeFacts> probes;
  for (int i = 0; i < 4000; ++i) {
    probes.push_back({.name = std::string(90, 'x') + std::to_string(i),
                      .repository = "repo",
                      .kind = &tuf::kDeclaration,
                      .enabled = true,
                      .interval = 60s,
                      .timeout = 30s});
  }
  store_.configure(std::move(probes));
  start();
  // More than the limit together, however much the sockets take. Each answer has begun once its
  // first bytes are there.
  std::vector<std::unique_ptr<Client>> slow;
  int refused = 0;
  for (int i = 0; i < 60 && refused == 0; ++i) {
    slow.push_back(std::make_unique<Client>(address()));
    slow.back()->send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    if (slow.back()->read_head().status == 503) ++refused;
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(Client(address()).request("GET", "/-/healthy").status, 200);
  slow.clear();
  // Until the server has seen that they are gone.
  auto const give_up = std::chrono::steady_clock::now() + 60s;
  int status = 503;
  while (status != 200 && std::chrono::steady_clock::now() < give_up) {
    status = Client(address()).request("GET", "/api/v1/status").status;
  }
  EXPECT_EQ(status, 200);
}

TEST_F(ServerTest, CutsAClientThatSendsNothingForTooLong) {
  settings_.timeout = 1s;
  start();
  Client idle{address()};
  idle.send("GET /metrics HT");
  EXPECT_TRUE(idle.closed_by_server());
}

// What a client may do instead of asking and reading.
struct Idler {
  std::string name;
  std::string sends;
  bool closes_its_end = false;
};
class Idlers : public ServerTest, public ::testing::WithParamInterface<Idler> {};

TEST_P(Idlers, MakeRoomForAScrapeAtOnce) {
  settings_.max_connections = 8;
  settings_.timeout = 60s;
  start();
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 60; ++i) {
    idle.push_back(std::make_unique<Client>(address()));
    // One that was cut already cannot send; that is as well.
    idle.back()->try_send(GetParam().sends);
    if (GetParam().closes_its_end) idle.back()->close_own_end();
  }
  auto const page = tests::parse_exposition(Client{address()}.request("GET", "/metrics").body);
  EXPECT_THAT(page.problems, IsEmpty());
  EXPECT_EQ(page.value(R"(canaryd_probe_runs_total{probe="demo"})"), 0);
  EXPECT_LE(page.value("canaryd_http_connections{address=\"" + address() + "\"}"), 9);
  EXPECT_EQ(page.value("canaryd_http_connections_max{address=\"" + address() + "\"}"), 8);
}

INSTANTIATE_TEST_SUITE_P(
    Who, Idlers,
    ::testing::Values(Idler{"connect_only", ""}, Idler{"send_half_a_request_line", "GET /met"},
                      Idler{"send_half_the_headers", "GET /metrics HTTP/1.1\r\nHost: x\r\nX-A"},
                      Idler{"keep_the_connection", "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"},
                      Idler{"close_their_end", "", true},
                      Idler{"close_their_end_half_way", "GET /met", true},
                      Idler{"ask_and_close_their_end", "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n",
                            true}),
    [](auto const& info) { return info.param.name; });

TEST_F(ServerTest, AnswersAClientThatClosesItsEndAfterAsking) {
  start();
  Client client{address()};
  client.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
  client.close_own_end();
  EXPECT_EQ(client.read_reply(false).status, 200);
}

TEST_F(ServerTest, ForgetsClientsThatAreGoneWithoutWaitingForTheirTimeout) {
  settings_.timeout = 600s;
  start();
  for (int i = 0; i < 20; ++i) {
    Client gone{address()};
    gone.send("GET /met");
  }
  Client client{address()};
  auto const series = "canaryd_http_connections{address=\"" + address() + "\"}";
  auto const give_up = std::chrono::steady_clock::now() + 60s;
  std::optional<double> left = 21;
  while (left != 1 && std::chrono::steady_clock::now() < give_up) {
    left = tests::parse_exposition(client.request("GET", "/metrics").body).value(series);
  }
  EXPECT_EQ(left, 1);
}

// Every connection is being answered: whoever comes now hears why.
TEST_F(ServerTest, TellsThatItIsFullWhileAllAreBeingServed) {
  settings_.max_connections = 1;
  std::promise<void> arrived, go_on;
  auto const waiting = go_on.get_future().share();
  std::atomic<int> hears{0};
  auto held = sources();
  held.executor_text = [&] {
    arrived.set_value();
    waiting.wait();
    return std::string{"state"};
  };
  held.told_full = [&](std::string_view, std::size_t most, bool full) {
    if (full && most == 1) ++hears;
  };
  auto started = Server::start(settings_, std::move(held));
  ASSERT_TRUE(started);
  server_ = std::move(started).value();
  Client served{address()};
  served.send("GET /debug/executor HTTP/1.1\r\nHost: x\r\n\r\n");
  arrived.get_future().wait();

  auto const reply = Client{address()}.request("GET", "/-/healthy");

  go_on.set_value();
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, HasSubstr("is full"));
  EXPECT_EQ(served.read_reply(false).status, 200);
  EXPECT_EQ(hears, 1);
}

// libmicrohttpd stops accepting then until one of its connections ends; the watchdog's never do.
TEST_F(ServerTest, AcceptsAgainAfterAWantOfDescriptors) {
  if (support::kUndefinedBehaviorSanitizer) GTEST_SKIP() << "UBSan itself needs descriptors";
  watchdog::SelfChannels channels;
  auto asked = sources();
  asked.asking = &channels;
  auto started = Server::start(settings_, std::move(asked));
  ASSERT_TRUE(started);
  server_ = std::move(started).value();
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  int const next = ::dup(STDIN_FILENO);
  ::close(next);
  rlimit const one_more{.rlim_cur = static_cast<rlim_t>(next) + 1, .rlim_max = usual.rlim_max};

  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &one_more), 0);
  Client client{address()};
  client.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
  bool const answered = client.has_more_within(300ms);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);

  EXPECT_FALSE(answered);
  EXPECT_EQ(client.read_reply(false).status, 200);
  server_.reset();
}

// libmicrohttpd knows nothing of exceptions: one that got there would stop its thread.
TEST_F(ServerTest, AnswersOnAfterAnAnswerThatThrew) {
  auto throwing = sources();
  throwing.executor_text = []() -> std::string { throw 42; };
  throwing.executor_json = []() -> std::string { throw std::bad_alloc{}; };
  auto started = Server::start(settings_, std::move(throwing));
  ASSERT_TRUE(started);
  server_ = std::move(started).value();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Client{address()}.request("GET", "/debug/executor").status, 503);
    EXPECT_EQ(Client{address()}.request("GET", "/api/v1/executor").status, 503);
  }
  EXPECT_EQ(Client{address()}.request("GET", "/-/healthy").status, 200);
}

TEST_F(ServerTest, StopsWithConnectionsOpen) {
  start();
  Client idle{address()}, half{address()};
  EXPECT_EQ(idle.request("GET", "/-/healthy").status, 200);
  half.send("GET /met");
  auto const where = address();

  server_->stop();
  server_->stop();

  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_TRUE(half.closed_by_server());
  EXPECT_FALSE(Client{where}.connected());
}

TEST_F(ServerTest, AnswersManyClientsWhileTheLoopPublishes) {
  start();
  std::atomic<bool> done{false};
  std::vector<std::future<int>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::async(std::launch::async, [this] {
      Client client{address()};
      int good = 0;
      for (int request = 0; request < 50; ++request) {
        auto const path = request % 2 == 0 ? "/metrics" : "/api/v1/probes/demo";
        if (client.request("GET", path).status == 200) ++good;
      }
      return good;
    }));
  }
  std::thread loop{[&] {
    while (!done) {
      store_.started("demo", SysTime{1s}, 1ms);
      store_.finished("demo", SysTime{2s}, 1ms, {});
    }
  }};
  for (auto& client : clients) EXPECT_EQ(client.get(), 50);
  done = true;
  loop.join();
}

}  // namespace
}  // namespace canary::daemon

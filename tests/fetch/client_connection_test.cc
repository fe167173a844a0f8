// SPDX-License-Identifier: Apache-2.0
// Connections: kept alive, replaced when stale, over IPv4 and IPv6.
#include <sys/resource.h>

#include <gmock/gmock.h>

#include "probes/fetch/connect_race.h"
#include "tests/fetch/client_fixture.h"
#include "tests/support/full_listener.h"
#include "tests/support/sanitizer.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;

class Connections : public ClientTest {};

TEST_F(Connections, AreKeptForTheNextRequest) {
  server_.on("/a", respond("a"));
  auto const client = make_client();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(get_with(*client, server_.url("/a")));
  EXPECT_EQ(server_.connections(), 1);
  EXPECT_EQ(server_.requests().back().on_connection, 3);
}

TEST_F(Connections, AreKeptAcrossAMissingFile) {
  server_.on("/a", respond("a"));
  auto const client = make_client();
  ASSERT_TRUE(get_with(*client, server_.url("/a")));
  auto const missing = get_with(*client, server_.url("/2.root.json"));
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().absent());
  auto const again = get_with(*client, server_.url("/a"));
  ASSERT_TRUE(again);
  EXPECT_TRUE(again.value().reused_connection);
  EXPECT_EQ(server_.connections(), 1);
}

// As long as it lives, no descriptor can be had.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(NoDescriptors const&) = delete;
  NoDescriptors& operator=(NoDescriptors const&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Connections, ThatWeHaveNoDescriptorForAreNobodyElsesFault) {
  if (support::kUndefinedBehaviorSanitizer) GTEST_SKIP() << "UBSan itself needs descriptors";
  server_.on("/a", respond(200, "a", {{"Connection", "close"}}));
  auto const client = make_client();
  ASSERT_TRUE(get_with(*client, server_.url("/a"))) << "the loop has what it needs itself";
  auto const result = [&] {
    NoDescriptors const none;
    return get_with(*client, server_.url("/a"));
  }();

  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::exhausted);
  EXPECT_FALSE(result.error().answered);
  EXPECT_THAT(result.error().message, testing::HasSubstr("Too many open files"));
}

TEST_F(Connections, AreNotKeptWhenTheServerSaysClose) {
  server_.on("/a", respond(200, "a", {{"Connection", "close"}}));
  auto const client = make_client();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(get_with(*client, server_.url("/a")));
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(Connections, AreNotKeptWhenMoreComesThanWasAnnounced) {
  server_.on("/a", [](Peer& peer, ServedRequest const&) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc");
  });
  auto const client = make_client();
  for (int i = 0; i < 2; ++i) {
    auto const result = get_with(*client, server_.url("/a"));
    ASSERT_TRUE(result);
    EXPECT_EQ(result.value().body, "a");
  }
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(Connections, StaleOnesAreReplacedWithoutCountingAnAttempt) {
  // The server takes the second request of a connection and closes instead of answering.
  server_.on("/a", [](Peer& peer, ServedRequest const& request) {
    if (request.on_connection == 2) return peer.close();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
  });
  settings_.max_attempts = 1;
  auto const client = make_client();
  ASSERT_TRUE(get_with(*client, server_.url("/a")));
  auto const second = get_with(*client, server_.url("/a"));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second.value().attempts, 1U);
  EXPECT_EQ(server_.connections(), 2);
  EXPECT_EQ(client->totals().retries, 0U);
}

TEST_F(Connections, EndWithTheirClient) {
  server_.on("/a", respond("a"));
  auto client = make_client();
  ASSERT_TRUE(get_with(*client, server_.url("/a")));
  EXPECT_EQ(server_.open_connections(), 1);
  client.reset();
  EXPECT_TRUE(server_.wait_until_idle());
}

TEST_F(Connections, GoOverIpv6) {
  HostileServer::Options options;
  options.address = "::1";
  std::optional<HostileServer> v6;
  try {
    v6.emplace(options);
  } catch (std::runtime_error const& error) {
    GTEST_SKIP() << "no IPv6 on this machine: " << error.what();
  }
  v6->on("/a", respond("six"));
  auto const result = get(v6->url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, "six");
  EXPECT_EQ(result.value().peer, "[::1]:" + std::to_string(v6->port()));
}

TEST_F(Connections, FallBackToIpv4WhenIpv6IsRefused) {
  server_.on("/a", respond("four"));  // listens on 127.0.0.1 only
  auto const result = get(server_.url("/a", "localhost"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().peer, "127.0.0.1:" + std::to_string(server_.port()));
}

TEST_F(Connections, KeepToTheFamilyThatIsAskedFor) {
  server_.on("/a", respond("four"));
  settings_.ip_family = config::IpFamily::v6;
  auto const result = get(server_.url("/a", "localhost"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::connect);
  EXPECT_EQ(result.error().message.find("127.0.0.1"), std::string::npos);
  auto const literal = get(server_.url("/a"));
  ASSERT_FALSE(literal);
  EXPECT_EQ(literal.error().kind, FaultKind::dns);
}

TEST_F(Connections, AnAddressThatHangsGetsCompany) {
  FullListener const full;
  auto const at = [](std::uint16_t port) {
    return Tcp::endpoint{boost::asio::ip::make_address("127.0.0.1"), port};
  };
  auto race = connect_race({at(full.port()), at(server_.port())}, deadline_, {});
  auto const port = [](runtime::Task<Connected> race) -> runtime::Task<int> {
    auto const connected = co_await std::move(race);
    co_return connected.socket ? connected.peer.port() : 0;
  };
  EXPECT_EQ(running_.block_on(port(std::move(race))), server_.port());
}

TEST(ConnectOrder, AlternatesBetweenFamiliesBeginningWithIpv6) {
  auto const address = [](char const* text) { return boost::asio::ip::make_address(text); };
  auto const order =
      connect_order({address("2001:db8::1"), address("2001:db8::2"), address("192.0.2.1")}, 80);
  std::vector<std::string> texts;
  for (auto const& endpoint : order) texts.push_back(to_text(endpoint));
  EXPECT_THAT(texts,
              ::testing::ElementsAre("[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80"));
}

}  // namespace
}  // namespace canary::fetch

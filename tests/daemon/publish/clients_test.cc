// SPDX-License-Identifier: Apache-2.0
// Who has to go when a client comes that is one too many.
#include "daemon/publish/clients.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kSecond = 1'000'000'000;

// A connection: the server's end and the client's.
struct Pair {
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0); }
  ~Pair() {
    for (int const end : ends) ::close(end);
  }
  Pair(Pair const&) = delete;
  Pair& operator=(Pair const&) = delete;
  int server() const { return ends[0]; }
  int client() const { return ends[1]; }
  bool cut() const {
    char byte = 0;
    return ::recv(ends[1], &byte, 1, MSG_DONTWAIT) == 0;
  }
  std::array<int, 2> ends{-1, -1};
};

class ClientsTest : public ::testing::Test {
 protected:
  Clients clients_{"127.0.0.1:1", 2, [this](std::string_view, std::size_t, bool full) {
                     told_.emplace_back(full ? "full" : "room");
                   }};
  std::vector<std::string> told_;
  Pair a_, b_, c_, d_;
};

TEST_F(ClientsTest, CutsNobodyWhileThereIsRoom) {
  clients_.came(a_.server(), 1);
  clients_.came(b_.server(), 2);
  EXPECT_FALSE(a_.cut());
  EXPECT_EQ(clients_.counts().connected, 2U);
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(ClientsTest, CutsTheOneIdleLongestForANewOne) {
  auto const a = clients_.came(a_.server(), 1);
  clients_.came(b_.server(), 2);
  clients_.asks(a, 3);
  clients_.answered(a, 4);  // an idle connection that was used since

  auto const c = clients_.came(c_.server(), 5);

  EXPECT_FALSE(a_.cut());
  EXPECT_TRUE(b_.cut());
  EXPECT_FALSE(c->refused);
  EXPECT_EQ(clients_.counts().connected, 2U);
  EXPECT_EQ(clients_.counts().cut_for_room, 1U);
}

TEST_F(ClientsTest, CutsAnIdleOneBeforeOneThatReadsNothing) {
  auto const a = clients_.came(a_.server(), 1);
  clients_.asks(a, 1);
  clients_.came(b_.server(), 2);

  clients_.came(c_.server(), 60 * kSecond);

  EXPECT_FALSE(a_.cut());
  EXPECT_TRUE(b_.cut());
}

TEST_F(ClientsTest, CutsOneThatReadsNothingWhereNoneIsIdle) {
  clients_.asks(clients_.came(a_.server(), 1), 1);
  clients_.asks(clients_.came(b_.server(), 2), 2);

  auto const c = clients_.came(c_.server(), 1 + Clients::kReadsWithin);

  EXPECT_TRUE(a_.cut());
  EXPECT_FALSE(b_.cut());
  EXPECT_FALSE(c->refused);
}

TEST_F(ClientsTest, RefusesANewOneWhileAllAreBeingServed) {
  clients_.asks(clients_.came(a_.server(), 1), 1);
  clients_.asks(clients_.came(b_.server(), 2), 2);

  auto const c = clients_.came(c_.server(), Clients::kReadsWithin);

  EXPECT_FALSE(a_.cut());
  EXPECT_FALSE(b_.cut());
  EXPECT_TRUE(c->refused);
  EXPECT_EQ(clients_.counts().refused, 1U);
}

TEST_F(ClientsTest, CutsARefusedOneThatNeverAsksForTheNext) {
  clients_.asks(clients_.came(a_.server(), 1), 1);
  clients_.asks(clients_.came(b_.server(), 2), 2);
  clients_.came(c_.server(), 3);
  clients_.came(d_.server(), 4);
  EXPECT_TRUE(c_.cut());
}

TEST_F(ClientsTest, CutsOneThatClosedItsEndAndHasNotAsked) {
  clients_.came(a_.server(), 1);
  clients_.came(b_.server(), 1);
  ::shutdown(a_.client(), SHUT_WR);

  EXPECT_TRUE(clients_.look(2));
  EXPECT_FALSE(a_.cut()) << "its request may still be on its way to the server's thread";
  EXPECT_TRUE(clients_.look(3));

  EXPECT_TRUE(a_.cut());
  EXPECT_FALSE(b_.cut());
  EXPECT_EQ(clients_.counts().cut_gone, 1U);
}

TEST_F(ClientsTest, LeavesOneThatClosedItsEndItsAnswer) {
  auto const a = clients_.came(a_.server(), 1);
  clients_.asks(a, 1);
  ::shutdown(a_.client(), SHUT_WR);
  clients_.look(2);
  clients_.look(3);
  EXPECT_FALSE(a_.cut());
  clients_.answered(a, 4);
  clients_.look(5);
  clients_.look(6);
  EXPECT_TRUE(a_.cut());
}

TEST_F(ClientsTest, TellsOnceThatItIsFullAndOnceThatItHasRoom) {
  auto const a = clients_.came(a_.server(), 1);
  auto const b = clients_.came(b_.server(), 2);
  auto const c = clients_.came(c_.server(), 3);
  clients_.came(d_.server(), 4);
  EXPECT_THAT(told_, ElementsAre("full"));
  clients_.left(a);
  clients_.left(b);
  clients_.left(c);
  EXPECT_TRUE(clients_.look(4 + Clients::kFullFor - 1));
  EXPECT_THAT(told_, ElementsAre("full"));
  clients_.look(4 + Clients::kFullFor);
  EXPECT_THAT(told_, ElementsAre("full", "room"));
}

TEST_F(ClientsTest, HasNobodyToLookAtOnceAllHaveLeft) {
  auto const a = clients_.came(a_.server(), 1);
  EXPECT_TRUE(clients_.look(2));
  clients_.left(a);
  EXPECT_FALSE(clients_.look(3));
  EXPECT_EQ(clients_.counts().connected, 0U);
}

}  // namespace
}  // namespace canary::daemon

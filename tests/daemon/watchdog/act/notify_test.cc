// SPDX-License-Identifier: Apache-2.0
// What systemd hears, at a socket of the test's own.
#include "daemon/watchdog/act/notify.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kS = 1'000'000'000;

class Notifications : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/canaryd-notify-XXXXXX";
    directory_ = ::mkdtemp(pattern);
    listen_at(directory_ / "socket");
  }
  void TearDown() override {
    notifier.close();
    ::close(socket_);
    std::filesystem::remove_all(directory_);
  }

  void listen_at(std::string const& name) {
    if (socket_ >= 0) ::close(socket_);
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    address = notify_address(name.c_str(), "8000000", nullptr, ::getpid());
    ASSERT_EQ(::bind(socket_, reinterpret_cast<sockaddr const*>(&address.address), address.size), 0)
        << std::strerror(errno);
  }

  // What was said; a descriptor that came along is kept in `received`.
  std::vector<std::string> heard() {
    std::vector<std::string> all;
    char bytes[4096];
    for (;;) {
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
      iovec part{.iov_base = bytes, .iov_len = sizeof bytes};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      auto const got = ::recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (got < 0) return all;
      all.emplace_back(bytes, static_cast<std::size_t>(got));
      if (cmsghdr const* const header = CMSG_FIRSTHDR(&message)) {
        std::memcpy(&received, CMSG_DATA(header), sizeof received);
      }
    }
  }

  // systemd's queue is full.
  void fill_queue() {
    while (::sendto(sender_, "x", 1, MSG_DONTWAIT,
                    reinterpret_cast<sockaddr const*>(&address.address), address.size) == 1) {
    }
  }

  NotifyAddress address;
  Notifier notifier;
  int received = -1;

 private:
  std::filesystem::path directory_;
  int socket_ = -1;
  int sender_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
};

TEST_F(Notifications, ReadyIsSaidOnce) {
  notifier.open(address);
  notifier.tick({.now_ns = 1 * kS});
  EXPECT_THAT(heard(), IsEmpty());

  notifier.ready();
  notifier.tick({.now_ns = 2 * kS});
  notifier.tick({.now_ns = 3 * kS});

  EXPECT_THAT(heard(), ElementsAre("READY=1"));
}

TEST_F(Notifications, PingsAtAQuarterOfThePeriodWhileTheLoopBeats) {
  notifier.open(address);

  EXPECT_TRUE(notifier.tick({.now_ns = 10 * kS, .beating = true}));
  EXPECT_FALSE(notifier.tick({.now_ns = 11 * kS, .beating = true}));
  EXPECT_TRUE(notifier.tick({.now_ns = 12 * kS, .beating = true}));
  EXPECT_FALSE(notifier.tick({.now_ns = 60 * kS, .beating = false}));

  EXPECT_THAT(heard(), ElementsAre("WATCHDOG=1", "WATCHDOG=1"));
}

TEST_F(Notifications, AReloadCarriesItsTimeAndEndsReady) {
  notifier.open(address);
  notifier.reloading(1'234'567'000);
  notifier.tick({.now_ns = 2 * kS});
  notifier.ready();
  notifier.tick({.now_ns = 3 * kS});

  EXPECT_THAT(heard(), ElementsAre("RELOADING=1\nMONOTONIC_USEC=1234567", "READY=1"));
}

TEST_F(Notifications, StatusIsSaidOnChangeAtMostOnceASecond) {
  notifier.open(address);
  Sentence first, second;
  first.add("monitoring 3 probes");
  second.add("run stalled");

  notifier.tick({.now_ns = 10 * kS, .status = &first});
  notifier.tick({.now_ns = 12 * kS, .status = &first});
  notifier.tick({.now_ns = 12 * kS, .status = &second});
  notifier.tick({.now_ns = 12 * kS + kS / 2, .status = &first});

  EXPECT_THAT(heard(), ElementsAre("STATUS=monitoring 3 probes", "STATUS=run stalled"));
}

TEST_F(Notifications, MoreTimeIsAskedForOnlyWhileStartOrStopProgresses) {
  notifier.open(address);
  notifier.tick({.now_ns = 10 * kS, .progress = 1});
  notifier.tick({.now_ns = 20 * kS, .progress = 1});
  notifier.ready();
  notifier.tick({.now_ns = 30 * kS, .progress = 2});
  notifier.stopping();
  notifier.tick({.now_ns = 40 * kS, .progress = 3});
  notifier.tick({.now_ns = 50 * kS, .progress = 3});

  EXPECT_THAT(heard(), ElementsAre("EXTEND_TIMEOUT_USEC=20000000", "READY=1", "STOPPING=1",
                                   "EXTEND_TIMEOUT_USEC=20000000"));
}

TEST_F(Notifications, ANewPhaseBringsItsSentenceAtOnce) {
  notifier.open(address);
  Sentence first, second;
  first.add("starting: opening the listeners");
  second.add("monitoring 3 probes");

  notifier.tick({.now_ns = 10 * kS, .status = &first});
  notifier.ready();
  notifier.tick({.now_ns = 10 * kS + kS / 10, .status = &second});

  EXPECT_THAT(heard(), ElementsAre("STATUS=starting: opening the listeners", "READY=1",
                                   "STATUS=monitoring 3 probes"));
}

TEST_F(Notifications, TheTablesAreLeftOnceInPlaceOfThoseBefore) {
  int const tables = ::memfd_create("tables of the test", MFD_CLOEXEC);
  ASSERT_EQ(::write(tables, "content", 7), 7);
  notifier.open(address);
  notifier.leave_tables(tables);

  notifier.tick({.now_ns = 1 * kS});
  notifier.tick({.now_ns = 2 * kS});

  EXPECT_THAT(heard(), ElementsAre("FDSTOREREMOVE=1\nFDNAME=canaryd-tables",
                                   "FDSTORE=1\nFDPOLL=0\nFDNAME=canaryd-tables"));
  char content[8] = {};
  EXPECT_EQ(::pread(received, content, sizeof content, 0), 7);
  EXPECT_STREQ(content, "content") << "the descriptor is that of the tables";
  ::close(received);
  ::close(tables);
}

TEST_F(Notifications, TablesThatDoNotGetThroughAreLeftAtTheNextTick) {
  int const tables = ::memfd_create("tables of the test", MFD_CLOEXEC);
  notifier.open(address);
  fill_queue();
  notifier.leave_tables(tables);
  notifier.tick({.now_ns = 1 * kS});
  heard();
  EXPECT_EQ(received, -1);

  notifier.tick({.now_ns = 2 * kS});

  EXPECT_THAT(heard(), ElementsAre("FDSTOREREMOVE=1\nFDNAME=canaryd-tables",
                                   "FDSTORE=1\nFDPOLL=0\nFDNAME=canaryd-tables"));
  EXPECT_NE(received, -1);
  ::close(received);
  ::close(tables);
}

TEST_F(Notifications, AFullQueueMeansTheNextTick) {
  notifier.open(address);
  fill_queue();
  notifier.ready();
  EXPECT_FALSE(notifier.tick({.now_ns = 10 * kS, .beating = true})) << "and it did not block";

  heard();
  EXPECT_TRUE(notifier.tick({.now_ns = 11 * kS, .beating = true}));

  EXPECT_THAT(heard(), ElementsAre("READY=1", "WATCHDOG=1"));
  EXPECT_EQ(notifier.failures(), 0u);
}

TEST_F(Notifications, AnAbstractSocketIsReachedToo) {
  listen_at("@canaryd-notify-test-" + std::to_string(::getpid()));
  notifier.open(address);
  notifier.ready();
  notifier.tick({.now_ns = kS});

  EXPECT_THAT(heard(), ElementsAre("READY=1"));
}

TEST_F(Notifications, ASocketThatIsGoneIsCounted) {
  notifier.open(notify_address("/nonexistent/notify", nullptr, nullptr, 1));
  notifier.ready();
  notifier.tick({.now_ns = kS});

  EXPECT_EQ(notifier.failures(), 1u);
}

TEST(NotifyAddress, IsNobodyWithoutASensibleSocket) {
  EXPECT_EQ(notify_address(nullptr, "1000", nullptr, 7).size, 0u);
  EXPECT_EQ(notify_address("", "1000", nullptr, 7).size, 0u);
  EXPECT_EQ(notify_address("relative", "1000", nullptr, 7).size, 0u);
  std::string const longer(200, '/');
  EXPECT_EQ(notify_address(longer.c_str(), "1000", nullptr, 7).size, 0u);
}

TEST(NotifyAddress, HonoursForWhomThePeriodIs) {
  EXPECT_EQ(notify_address("/run/n", "45000000", "7", 7).watchdog_ns, 45 * kS);
  EXPECT_EQ(notify_address("/run/n", "45000000", nullptr, 7).watchdog_ns, 45 * kS);
  EXPECT_EQ(notify_address("/run/n", "45000000", "8", 7).watchdog_ns, 0);
  EXPECT_EQ(notify_address("/run/n", "soon", nullptr, 7).watchdog_ns, 0);
  EXPECT_NE(notify_address("/run/n", "45000000", "8", 7).size, 0u) << "the rest is for us";
}

}  // namespace
}  // namespace canary::watchdog

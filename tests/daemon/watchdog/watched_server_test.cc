// SPDX-License-Identifier: Apache-2.0
// What the watchdog does for an HTTP server whose threads do not answer it.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/publish/plain_client.h"
#include "tests/daemon/watchdog/watchdog_thread.h"

namespace canary::watchdog {
namespace {

// A server's thread that is asked and answers when it is told to.
class AskedThread {
 public:
  AskedThread(SelfChannels& channels, std::size_t place) {
    int ends[2];
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
    socket_ = ends[0];
    channels.give(place, ends[1]);
  }
  ~AskedThread() { ::close(socket_); }
  AskedThread(AskedThread const&) = delete;
  AskedThread& operator=(AskedThread const&) = delete;
  // True when there was a question.
  bool answer_if_asked() const {
    pollfd asked{.fd = socket_, .events = POLLIN, .revents = 0};
    char bytes[512];
    if (::poll(&asked, 1, 1) <= 0 || ::recv(socket_, bytes, sizeof bytes, 0) <= 0) return false;
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
    ::send(socket_, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    return true;
  }

 private:
  int socket_ = -1;
};

TEST_F(WatchdogThread, NoticesAServerThatDoesNotAnswerAndThatItDoesAgain) {
  settings.server_stall = 300ms;
  let_loop_turn();
  start();
  AskedThread const thread{watchdog->asking(), 0};
  watchdog->asking().expect(1, 1);

  ASSERT_TRUE(eventually([&] { return reached(Subject::server, Level::stalled) == 1; }));
  EXPECT_TRUE(thread.answer_if_asked());

  EXPECT_TRUE(eventually([&] { return record().server_answers.load() == 1; }));
  EXPECT_TRUE(eventually([&] { return record().current_incidents.load() == 0; }));
}

TEST_F(WatchdogThread, AnswersForAServerThatDoesNotAndStepsBackWhenItDoes) {
  settings.server_stall = 300ms;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::listen(listener, 8);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  let_loop_turn();
  start();
  AskedThread const thread{watchdog->asking(), 0};
  std::string const too_much = "# " + std::string(5'000, 'x');
  watchdog->answer_for_server_on({&listener, 1}, "# TYPE fixed gauge\nfixed 7\n" + too_much);
  watchdog->asking().expect(1, 1);
  std::string const where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));

  auto const page = tests::Client{where}.request("GET", "/metrics").body;  // waits for it
  EXPECT_THAT(page, testing::HasSubstr("\ncanaryd_emergency_page 1\n"));
  EXPECT_THAT(page, testing::HasSubstr("\nfixed 7\n"));
  EXPECT_THAT(page, testing::Not(testing::HasSubstr("xxx"))) << "half a line";
  EXPECT_NE(record().emergency_since_ns.load(), 0);
  EXPECT_EQ(tests::Client{where}.request("GET", "/-/healthy").status, 503);

  // The server lives again: it answers the watchdog.
  EXPECT_TRUE(eventually([&] {
    thread.answer_if_asked();
    return record().emergency_since_ns.load() == 0;
  }));
  EXPECT_GE(record().emergency_answers[0].load(), 1u);
  watchdog->leave_server_alone();
  ::close(listener);
}

TEST_F(WatchdogThread, AsksEachThreadOfTheServer) {
  settings.server_stall = 300ms;
  let_loop_turn();
  start();
  AskedThread const lives{watchdog->asking(), 0};
  AskedThread const deaf{watchdog->asking(), 1};
  watchdog->asking().expect(2, 2);

  EXPECT_TRUE(eventually([&] {
    lives.answer_if_asked();
    return reached(Subject::server, Level::stalled) == 1;
  }));
}

TEST_F(WatchdogThread, MissesAThreadThatEndedAtWorkAndNoneThatLeft) {
  let_loop_turn();
  start();
  auto const end_in = [](runtime::ThreadRecord::Kind kind, bool leaves) {
    std::thread{[=] {
      runtime::ThreadRow row{kind, "ends"};
      if (leaves) row.leave();
    }}.join();
  };
  end_in(runtime::ThreadRecord::log, true);
  end_in(runtime::ThreadRecord::cpu, false);
  EXPECT_TRUE(eventually([&] { return reached(Subject::cpu, Level::stalled) == 1; }));
  EXPECT_TRUE(eventually([&] { return dump.verdict.load() == static_cast<int>(Verdict::ended); }));
  EXPECT_EQ(reached(Subject::cpu, Level::hung), 0) << "others do its work";
  end_in(runtime::ThreadRecord::log, false);
  EXPECT_TRUE(eventually([&] { return reached(Subject::log, Level::dead) == 1; }));
  for (auto& row : tables.threads()) {
    if (row.name.load() == "ends") row.kind.store(runtime::ThreadRecord::unused);
  }
}

TEST_F(WatchdogThread, MissesTheBeatOfAThreadThatDoesNotComeRound) {
  settings.server_stall = 1s;  // the least limit, which is 3 s
  let_loop_turn();
  start();
  Stuck const stuck;
  auto& row = tables.threads()[40];
  row.name.store("log");
  row.beat_ns.store(runtime::now_ns() - 2'000'000'000);
  row.thread.store(stuck.id());
  row.kind.store(runtime::ThreadRecord::log);

  EXPECT_TRUE(eventually([&] { return reached(Subject::log, Level::stalled) == 1; }));
  auto const log = static_cast<std::size_t>(Subject::log);
  EXPECT_TRUE(eventually(
      [&] { return record().standing[log].load() == static_cast<std::uint8_t>(Verdict::lock); }));
  EXPECT_TRUE(eventually([&] { return dump.verdict.load() == static_cast<int>(Verdict::lock); }));
  row.beat_ns.store(runtime::now_ns());
  EXPECT_TRUE(eventually([&] { return record().standing[log].load() == 0; }));
  row.kind.store(runtime::ThreadRecord::unused);
}

TEST_F(WatchdogThread, TheEmergencyThreadComesRound) {
  start();
  EXPECT_TRUE(eventually([&] {
    for (auto& row : tables.threads()) {
      if (row.kind.load() == runtime::ThreadRecord::emergency && row.beat_ns.load() != 0)
        return true;
    }
    return false;
  }));
}

TEST_F(WatchdogThread, AnswersForAServerWithAThreadThatIsStuckInAnAnswer) {
  settings.server_stall = 300ms;
  let_loop_turn();
  start();
  {
    AnswerMark const stuck{&watchdog->answering(), runtime::now_ns()};
    EXPECT_TRUE(eventually([&] { return record().emergency_since_ns.load() != 0; }));
    EXPECT_TRUE(eventually([&] { return reached(Subject::server, Level::stalled) == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return record().emergency_since_ns.load() == 0; }));
}

}  // namespace
}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What cannot be asked, what was asked, and what came back.
#include "daemon/watchdog/sample/server_question.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;
constexpr std::int64_t kNow = 1'000 * kS;

class Question : public ::testing::Test {
 protected:
  ~Question() override {
    question_.close();
    if (server_ >= 0) ::close(server_);
  }
  void connect() {
    int ends[2];
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
    server_ = ends[0];
    channels_.give(0, ends[1]);
    channels_.expect(1, 1);
  }
  void hang_up() {
    ::close(server_);
    server_ = -1;
  }
  // What the server was sent.
  std::string heard() {
    char bytes[1024];
    auto const got = ::recv(server_, bytes, sizeof bytes, 0);
    return got > 0 ? std::string{bytes, static_cast<std::size_t>(got)} : "";
  }
  void say(std::string_view text) { ::send(server_, text.data(), text.size(), MSG_NOSIGNAL); }
  auto step(std::int64_t at) { return question_.step(at, 2 * kS); }

  SelfChannels channels_;
  ServerQuestion question_{channels_};
  int server_ = -1;
};

TEST_F(Question, IsPutAgainOnceItWasAnswered) {
  connect();
  EXPECT_EQ(step(kNow).asked, 1U);
  EXPECT_TRUE(heard().starts_with("GET /-/asked HTTP/1.1\r\n"));
  EXPECT_EQ(question_.asked_ns(), kNow);
  say("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(step(kNow + kS).answered, 1U);
  EXPECT_EQ(question_.asked_ns(), 0);
  EXPECT_EQ(question_.answered_after_ns(), kS);
  EXPECT_EQ(step(kNow + kS).asked, 0U) << "not yet";
  EXPECT_EQ(step(kNow + 2 * kS).asked, 1U);
}

TEST_F(Question, ThatIsNotAnsweredStaysOpen) {
  connect();
  step(kNow);
  step(kNow + 60 * kS);
  EXPECT_EQ(question_.asked_ns(), kNow);
}

TEST_F(Question, OverABrokenChannelIsNone) {
  connect();
  step(kNow);
  hang_up();
  step(kNow + kS);
  EXPECT_EQ(question_.asked_ns(), 0) << "it cannot ask, which is not that nobody answers";
  step(kNow + 2 * kS);
  EXPECT_EQ(question_.mute_ns(), kNow + 2 * kS);
  EXPECT_TRUE(channels_.wanted(0));
  connect();
  EXPECT_EQ(step(kNow + 3 * kS).asked, 1U);
  EXPECT_EQ(question_.mute_ns(), 0);
}

// A server without memory, or whose writes fail.
TEST_F(Question, ThatIsHungUpOnEachTimeIsNotAnsweredSinceTheFirst) {
  for (std::int64_t time = 0; time < 3; ++time) {
    connect();
    EXPECT_EQ(step(kNow + time * 3 * kS).asked, 1U);
    hang_up();
    step(kNow + time * 3 * kS + kS);
    EXPECT_EQ(question_.asked_ns(), time == 0 ? 0 : kNow) << time;
  }
  connect();
  step(kNow + 9 * kS);
  say("HTTP/1.1 200 OK\r\n\r\n");
  step(kNow + 10 * kS);
  EXPECT_EQ(question_.asked_ns(), 0);
}

TEST_F(Question, ThatIsAnsweredByAnErrorIsNot) {
  connect();
  for (std::int64_t time = 0; time < 3; ++time) {
    step(kNow + time * 2 * kS);
    say("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    EXPECT_EQ(step(kNow + time * 2 * kS + kS).answered, 0U);
  }
  EXPECT_EQ(question_.asked_ns(), kNow);
  EXPECT_EQ(question_.thread(0, kNow + 6 * kS, kS), ServerQuestion::Thread::broken);
  step(kNow + 6 * kS);
  say("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(step(kNow + 7 * kS).answered, 1U);
  EXPECT_EQ(question_.asked_ns(), 0);
  EXPECT_EQ(question_.thread(0, kNow + 7 * kS, kS), ServerQuestion::Thread::answers);
}

TEST_F(Question, ThatTheServerHasNoMemoryToTakeIsNotAnswered) {
  channels_.expect(1, 1);
  channels_.refuse(0);
  step(kNow);
  step(kNow + 20 * kS);
  EXPECT_EQ(question_.asked_ns(), kNow) << "who cannot be asked for want of memory is no mute";
  EXPECT_EQ(question_.mute_ns(), 0);
  EXPECT_EQ(question_.thread(0, kNow + 20 * kS, kS), ServerQuestion::Thread::broken);
  connect();
  step(kNow + 21 * kS);
  EXPECT_EQ(question_.asked_ns(), kNow) << "until it has answered";
  say("HTTP/1.1 200 OK\r\n\r\n");
  step(kNow + 22 * kS);
  EXPECT_EQ(question_.asked_ns(), 0);
}

TEST_F(Question, ThatIsOpenForLongIsOfASilentThread) {
  connect();
  step(kNow);
  EXPECT_EQ(question_.thread(0, kNow + kS - 1, kS), ServerQuestion::Thread::answers);
  EXPECT_EQ(question_.thread(0, kNow + kS, kS), ServerQuestion::Thread::silent);
}

TEST_F(Question, ThatCannotBePutAnyMoreAccusesNobody) {
  for (std::int64_t time = 0; time < 2; ++time) {
    connect();
    step(kNow + time * 3 * kS);
    hang_up();
    step(kNow + time * 3 * kS + kS);
  }
  step(kNow + 5 * kS);
  EXPECT_EQ(question_.asked_ns(), kNow);
  step(kNow + 11 * kS);
  EXPECT_EQ(question_.asked_ns(), 0) << "a want of descriptors is no silence";
}

TEST_F(Question, ToWhomNobodyReadsStaysOpen) {
  connect();
  while (::send(channels_.at(0), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) {
  }
  EXPECT_EQ(step(kNow).asked, 1U);
  EXPECT_EQ(question_.asked_ns(), kNow);
}

TEST_F(Question, ThatNobodyIsToAnswerForCountsAnew) {
  connect();
  step(kNow);
  question_.forget(kNow + 3 * kS);
  EXPECT_EQ(question_.asked_ns(), kNow + 3 * kS);
  say("HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(step(kNow + 4 * kS).answered, 1U);
  EXPECT_EQ(question_.answered_after_ns(), kS);
}

}  // namespace
}  // namespace canary::watchdog

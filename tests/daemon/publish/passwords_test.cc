// SPDX-License-Identifier: Apache-2.0
// Passwords are checked once each, aside; nobody finds out who has one.
#include "daemon/publish/passwords.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

// Of "secret" and "other".
constexpr char kSecret[] = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

TEST(BasicCredentials, AreReadAsTheStandardHasThem) {
  auto const given = basic_credentials("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  ASSERT_TRUE(given);
  EXPECT_EQ(given->user, "Aladdin");
  EXPECT_EQ(given->password.view(), "open sesame");
  EXPECT_TRUE(basic_credentials("bAsIc  QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
  EXPECT_EQ(basic_credentials("Basic YTo=")->password.view(), "") << "a:";
  EXPECT_EQ(basic_credentials("Basic YTpiOmM=")->password.view(), "b:c") << "a:b:c";
  for (char const* const bad : {"", "Basic", "Basic ", "Bearer YTpi", "Basic YTpi=", "Basic YTp",
                                "Basic YW5v", "Basic YT\nb", "Basic ===="}) {
    EXPECT_FALSE(basic_credentials(bad)) << bad;
  }
}

class PasswordsTest : public ::testing::Test {
 protected:
  static Credentials given(std::string user, std::string_view password) {
    return {.user = std::move(user), .password = SecretText{password}};
  }
  // As it comes from a check, not from memory.
  bool checked(std::string const& user, std::string_view password) {
    std::promise<bool> told;
    bool const taken = passwords_.ask(
        users_, given(user, password), [] {}, [&told](bool right) { told.set_value(right); });
    EXPECT_TRUE(taken);
    return taken && told.get_future().get();
  }
  std::optional<bool> known(std::string const& user, std::string_view password) {
    return passwords_.known(users_, given(user, password));
  }
  Passwords::Users users_{{.name = "alice", .hash = kSecret}};
  Passwords passwords_;
};

TEST_F(PasswordsTest, AreRightOrWrongAndThenKnown) {
  EXPECT_EQ(known("alice", "secret"), std::nullopt);
  EXPECT_TRUE(checked("alice", "secret"));
  EXPECT_EQ(known("alice", "secret"), true);
  EXPECT_FALSE(checked("alice", "wrong"));
  EXPECT_EQ(known("alice", "wrong"), false);
  EXPECT_EQ(known("alice", "wrong2"), std::nullopt);
}

TEST_F(PasswordsTest, OfAUserThatThereIsNotAreCheckedLikewise) {
  EXPECT_EQ(known("bob", "secret"), std::nullopt) << "not told by a faster answer";
  EXPECT_FALSE(checked("bob", "secret"));
  EXPECT_EQ(known("bob", "secret"), false);
}

TEST_F(PasswordsTest, AreForgottenWithTheHash) {
  EXPECT_TRUE(checked("alice", "secret"));
  users_.front().hash.back() = 'X';
  EXPECT_EQ(known("alice", "secret"), std::nullopt);
  EXPECT_FALSE(checked("alice", "secret"));
  users_ = {{.name = "carol", .hash = kSecret}};
  EXPECT_EQ(known("alice", "secret"), std::nullopt) << "she is there no more";
  EXPECT_FALSE(checked("alice", "secret"));
  EXPECT_EQ(known("carol", "secret"), std::nullopt) << "what was another's is not hers";
}

TEST_F(PasswordsTest, DoNotEndAtANul) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(checked("alice", "secret\0and more"sv));
}

TEST_F(PasswordsTest, ThatAreWrongPushOutNoneThatIsRight) {
  EXPECT_TRUE(checked("alice", "secret"));
  for (std::size_t i = 0; i <= Passwords::kMostRemembered; ++i) {
    EXPECT_FALSE(checked("alice", "wrong " + std::to_string(i)));
  }
  EXPECT_EQ(known("alice", "secret"), true);
  EXPECT_EQ(known("alice", "wrong 0"), std::nullopt) << "the oldest went";
  EXPECT_EQ(known("alice", "wrong 1"), false);
}

TEST_F(PasswordsTest, WaitInAQueueThatHasAnEndAndNobodyWaitsForEver) {
  std::promise<void> go_on;
  std::shared_future<void> const held = go_on.get_future().share();
  std::promise<void> reached;
  // The first one holds the thread when it is told.
  ASSERT_TRUE(passwords_.ask(
      users_, given("alice", "0"), [] {},
      [&](bool) {
        reached.set_value();
        held.wait();
      }));
  reached.get_future().wait();
  std::atomic<int> in{0}, out{0};
  auto const count = [&](bool right) { ++(right ? in : out); };
  for (std::size_t i = 0; i < Passwords::kMostWaiting; ++i) {
    ASSERT_TRUE(passwords_.ask(users_, given("alice", "secret"), [] {}, count));
  }
  EXPECT_FALSE(passwords_.ask(users_, given("alice", "secret"), [] {}, count));
  std::thread closing{[this] { passwords_.close(); }};
  while (out.load() < static_cast<int>(Passwords::kMostWaiting)) std::this_thread::yield();
  go_on.set_value();
  closing.join();
  EXPECT_EQ(in.load(), 0) << "nobody is let in by a server that stops";
  EXPECT_FALSE(passwords_.ask(users_, given("alice", "secret"), [] {}, count));
}

}  // namespace
}  // namespace canary::daemon

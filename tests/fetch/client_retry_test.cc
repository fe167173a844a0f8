// SPDX-License-Identifier: Apache-2.0
// Trying again, and going on where the last attempt broke off.
#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using namespace canary::support;

class Retry : public ClientTest {
 protected:
  Retry() { settings_.max_attempts = 3; }
};

TEST_F(Retry, PassesOverFaultsThatPass) {
  for (auto const& fault : {respond(503, "busy"), respond(429, "later"), raw(""),
                            raw_then_reset("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")}) {
    server_.on("/a", in_turn({fault, fault, respond("good")}));
    auto const result = get(server_.url("/a"));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result.value().body, "good");
    EXPECT_EQ(result.value().attempts, 3U);
    EXPECT_GT(result.value().times[Phase::backoff], 0ns);
  }
}

TEST_F(Retry, EndsAfterTheAllowedAttempts) {
  server_.on("/a", respond(503, "busy"));
  auto const client = make_client();
  auto const result = get_with(*client, server_.url("/a"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 503);
  EXPECT_EQ(result.error().attempts, 3U);
  EXPECT_EQ(server_.requests().size(), 3U);
  EXPECT_EQ(client->totals().retries, 2U);
}

TEST_F(Retry, DoesNotRepeatWhatIsAnswered) {
  for (int const status : {403, 404, 410, 451, 501}) {
    auto const before = server_.requests().size();
    server_.on("/a", respond(status, "no"));
    EXPECT_FALSE(get(server_.url("/a")));
    EXPECT_EQ(server_.requests().size() - before, 1U) << status;
  }
}

TEST_F(Retry, WaitsAsLongAsTheServerAsks) {
  server_.on("/a", in_turn({respond(429, "", {{"Retry-After", "1"}}), respond("good")}));
  auto const result = get(server_.url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_GE(result.value().times[Phase::backoff], 1s);
}

TEST_F(Retry, GivesUpAtOnceWhenTheServerAsksForMoreThanIsLeft) {
  server_.on("/a", respond(429, "", {{"Retry-After", "86400"}}));
  auto const result = get(server_.url("/a"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 429);
  EXPECT_EQ(server_.requests().size(), 1U);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("1d"));
}

// Sends the head and half of the body, then breaks off.
Script half_of(std::string body, std::string headers) {
  return raw_then_reset("HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body.substr(0, body.size() / 2));
}

TEST_F(Retry, ResumesWhereTheBodyBrokeOff) {
  std::string const body = "0123456789abcdefghij";
  server_.on("/a", in_turn({half_of(body, "ETag: \"v1\"\r\n"), ranged(body, "\"v1\"")}));
  auto const result = get(Request{url(server_.url("/a")), 100, body.size()});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, body);
  EXPECT_EQ(result.value().status, 200);
  auto const second = server_.requests().at(1);
  EXPECT_EQ(second.headers.at("range"), "bytes=10-");
  EXPECT_EQ(second.headers.at("if-range"), "\"v1\"");
}

TEST_F(Retry, BeginsAgainWhenTheFileHasChanged) {
  std::string const body = "0123456789abcdefghij";
  std::string const other = "ABCDEFGHIJKLMNOPQRST";
  server_.on("/a", in_turn({half_of(body, "ETag: \"v1\"\r\n"), ranged(other, "\"v2\"")}));
  auto const result = get(server_.url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, other);
}

TEST_F(Retry, DoesNotResumeOnAWeakValidator) {
  std::string const body = "0123456789abcdefghij";
  server_.on("/a", in_turn({half_of(body, "ETag: W/\"v1\"\r\n"), ranged(body, "\"v1\"")}));
  auto const result = get(server_.url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, body);
  EXPECT_FALSE(server_.requests().at(1).headers.contains("range"));
}

TEST_F(Retry, DoesNotTrustARangeThatStartsElsewhere) {
  std::string const body = "0123456789abcdefghij";
  auto const wrong = respond(206, "wrong", {{"Content-Range", "bytes 3-7/20"}});
  server_.on("/a", in_turn({half_of(body, "ETag: \"v1\"\r\n"), wrong, respond(body)}));
  auto const result = get(server_.url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, body);
  EXPECT_FALSE(server_.requests().at(2).headers.contains("range"));
}

TEST_F(Retry, BeginsAgainWhenTheRangeIsRefused) {
  std::string const body = "0123456789abcdefghij";
  server_.on("/a", in_turn({half_of(body, "ETag: \"v1\"\r\n"), respond(416, "no"), respond(body)}));
  auto const result = get(server_.url("/a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, body);
}

TEST_F(Retry, DoesNotResumePastTheLimit) {
  std::string const body = "0123456789abcdefghij";
  auto const longer = respond(206, "0123456789abcdef", {{"Content-Range", "bytes 10-25/*"}});
  server_.on("/a", in_turn({half_of(body, "ETag: \"v1\"\r\n"), longer}));
  auto const result = get(Request{url(server_.url("/a")), 20});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::too_large);
}

}  // namespace
}  // namespace canary::fetch

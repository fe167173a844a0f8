// SPDX-License-Identifier: Apache-2.0
// Methods, bodies, statuses that are wanted, redirects that are not followed.
#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace canary::support;

class Requests : public ClientTest {
 protected:
  Request to(std::string const& path, std::string method = "GET", std::string body = {}) {
    Request request{url(server_.url(path)), 1 << 20};
    request.method = std::move(method);
    request.body = std::move(body);
    return request;
  }
  Request any_status(std::string const& path) {
    auto request = to(path);
    request.any_status = true;
    return request;
  }
  ServedRequest last() { return server_.requests().back(); }
};

TEST_F(Requests, SendTheirMethodAndTheirBody) {
  server_.on("/", respond("done"));
  auto const result = get(to("/", "PUT", "a=1"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(last().method, "PUT");
  EXPECT_EQ(last().body, "a=1");
  EXPECT_EQ(last().headers.at("content-length"), "3");
}

TEST_F(Requests, SayThatTheirBodyIsEmptyWhereTheMethodHasOne) {
  server_.on("/", respond("done"));
  ASSERT_TRUE(get(to("/", "POST")));
  EXPECT_EQ(last().headers.at("content-length"), "0");
  ASSERT_TRUE(get(to("/")));
  EXPECT_FALSE(last().headers.contains("content-length"));
}

TEST_F(Requests, OfHeadHaveAnAnswerWithoutABody) {
  server_.on("/", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"));
  auto const result = get(to("/", "HEAD"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().length, 0U);
  EXPECT_EQ(result.value().header("content-length"), "99999999");
}

TEST_F(Requests, TakeAnyStatusWithItsBodyWhereTheyWantTo) {
  server_.on("/", respond(418, "a teapot"));
  auto const result = get(any_status("/"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().status, 418);
  EXPECT_EQ(result.value().body, "a teapot");
}

TEST_F(Requests, TryAStatusAgainThatMayPassBeforeTheyTakeIt) {
  settings_.max_attempts = 3;
  server_.on("/", respond(503, "down"));
  auto const result = get(any_status("/"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().status, 503);
  EXPECT_EQ(result.value().body, "down");
  EXPECT_EQ(result.value().attempts, 3U);
  server_.on("/", in_turn({respond(503, "down"), respond("up")}));
  auto const mended = get(any_status("/"));
  ASSERT_TRUE(mended);
  EXPECT_EQ(mended.value().body, "up");
}

TEST_F(Requests, ThatAreSentOnceTakeTheStatusThatTheyGet) {
  settings_.max_attempts = 3;
  server_.on("/", respond(503, "down"));
  auto request = to("/", "POST", "x");
  request.any_status = true;
  auto const result = get(std::move(request));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().status, 503);
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(Requests, TakeAWantedStatusAtOnce) {
  settings_.max_attempts = 3;
  server_.on("/", respond(503, "down"));
  auto request = to("/");
  request.wanted = {{200, 299}, {503, 503}};
  auto const result = get(std::move(request));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().status, 503);
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(Requests, LeaveRefusedCredentialsAFault) {
  server_.on("/", respond(401, "who?"));
  auto const result = get(any_status("/"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 401);
  EXPECT_FALSE(result.error().answered);
}

TEST_F(Requests, AreNotSentAgainWhereTheyAreNotIdempotent) {
  settings_.max_attempts = 3;
  server_.on("/", raw_then_reset(""));
  ASSERT_FALSE(get(to("/", "POST", "x")));
  EXPECT_EQ(server_.requests().size(), 1U);
  ASSERT_FALSE(get(to("/", "PUT", "x")));
  EXPECT_EQ(server_.requests().size(), 4U);
}

TEST_F(Requests, AreNotSentAgainWhereARedirectMadeThemAGet) {
  settings_.max_attempts = 3;
  server_.on("/start", redirect_to("/end"));
  server_.on("/end", raw_then_reset(""));
  ASSERT_FALSE(get(to("/start", "POST", "x")));
  EXPECT_EQ(server_.requests().size(), 2U);
}

TEST_F(Requests, KeepMethodAndBodyWhereARedirectSaysSo) {
  server_.on("/end", respond("here"));
  struct Case {
    int status;
    char const *method, *becomes;
  };
  for (auto const& [status, method, becomes] :
       {Case{301, "POST", "GET"}, Case{302, "POST", "GET"}, Case{303, "PUT", "GET"},
        Case{303, "HEAD", "HEAD"}, Case{302, "PUT", "PUT"}, Case{307, "POST", "POST"},
        Case{308, "POST", "POST"}}) {
    server_.on("/start", redirect_to("/end", status));
    auto const result = get(to("/start", method, "x"));
    ASSERT_TRUE(result) << status << method;
    EXPECT_EQ(last().method, becomes) << status;
    EXPECT_EQ(last().body, std::string_view{becomes} == "GET" ? "" : "x") << status;
    ASSERT_EQ(result.value().redirects.size(), 1U);
    EXPECT_EQ(result.value().redirects[0].status, status);
    EXPECT_EQ(result.value().redirects[0].to.text(), server_.url("/end"));
  }
}

TEST_F(Requests, TakeARedirectAsAnAnswerWhereTheyDoNotFollow) {
  server_.on("/", redirect_to("/end", 301));
  auto request = any_status("/");
  request.follow_redirects = false;
  auto const result = get(std::move(request));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().status, 301);
  EXPECT_EQ(result.value().header("location"), "/end");
  EXPECT_EQ(server_.requests().size(), 1U);
}

TEST_F(Requests, TakeAnAnswerAfterRedirectsOfWhateverStatus) {
  server_.on("/start", redirect_to("/end"));
  server_.on("/end", respond(404, "gone"));
  auto const result = get(any_status("/start"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().status, 404);
  EXPECT_EQ(result.value().final_url.target(), "/end");
}

TEST_F(Requests, TellAPartThatNobodyAskedFor) {
  server_.on("/", respond(206, "part", {{"Content-Range", "bytes 0-3/9"}}));
  auto const result = get(any_status("/"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().status, 206);
}

}  // namespace
}  // namespace canary::fetch

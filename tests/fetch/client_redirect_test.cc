// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace canary::support;

class Redirects : public ClientTest {};

TEST_F(Redirects, AreFollowedForEveryStatusThatMeansOne) {
  server_.on("/end", respond("here"));
  for (int const status : {301, 302, 303, 307, 308}) {
    server_.on("/start", redirect_to("end?x=%5B", status));
    server_.on("/end?x=%5B", respond("here"));
    auto const result = get(server_.url("/start"));
    ASSERT_TRUE(result) << status;
    EXPECT_EQ(result.value().body, "here");
    EXPECT_EQ(result.value().final_url.target(), "/end?x=%5B");
    EXPECT_EQ(result.value().redirects.size(), 1U);
  }
}

TEST_F(Redirects, AreOddWhereAPercentSignBeginsNoEscape) {
  server_.on_any(respond("here"));
  auto const is_odd = [&](std::string const& location) {
    server_.on("/start", redirect_to(location));
    auto const client = make_client();
    EXPECT_TRUE(get_with(*client, server_.url("/start"))) << location;
    return client->totals().oddities.contains(Oddity::location_escape);
  };
  EXPECT_FALSE(is_odd("/%aF%09"));
  for (auto const* location : {"/%zz", "/%Gf", "/%f", "/%:0", "/%0@", "/%0`", "/%0g"}) {
    EXPECT_TRUE(is_odd(location)) << location;
  }
}

TEST_F(Redirects, AreBounded) {
  for (int i = 0; i < 7; ++i) {
    server_.on("/" + std::to_string(i), redirect_to("/" + std::to_string(i + 1)));
  }
  settings_.max_redirects = 3;
  auto const result = get(server_.url("/0"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::redirect_loop);
  EXPECT_EQ(server_.requests().size(), 4U);
}

TEST_F(Redirects, KeepSecretsFromOtherOrigins) {
  HostileServer other;
  other.on("/end", respond("here"));
  server_.on("/start", redirect_to(other.url("/end")));
  settings_.headers = {{"X-Plain", "1"}};
  settings_.secret_headers = {{"Authorization", {"Bearer abc", {}, "TOKEN"}}};
  ASSERT_TRUE(get(server_.url("/start")));
  EXPECT_TRUE(server_.requests().at(0).headers.contains("authorization"));
  EXPECT_FALSE(other.requests().at(0).headers.contains("authorization"));
  EXPECT_TRUE(other.requests().at(0).headers.contains("x-plain"));
}

TEST_F(Redirects, FaultsDoNotShowAQueryThatMayBeSecret) {
  server_.on("/start", redirect_to("/end?signature=s3cret"));
  auto const result = get(server_.url("/start"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 404);
  EXPECT_EQ(result.error().url, server_.url("/end?..."));
  EXPECT_EQ(result.error().message.find("s3cret"), std::string::npos);
}

TEST_F(Redirects, AFileIsNotAServer) {
  server_.on("/start", redirect_to("file:///etc/hostname"));
  auto const result = get(server_.url("/start"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::redirect_refused);
}

}  // namespace
}  // namespace canary::fetch

// SPDX-License-Identifier: Apache-2.0
// Who may have canaryd do something over HTTP, and who may not.
#include "daemon/publish/post_guard.h"

#include <map>

#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

struct Case {
  std::string name;
  bool local;
  std::map<std::string, std::string> headers;
  bool allowed;
};
class PostGuard : public ::testing::TestWithParam<Case> {};

TEST_P(PostGuard, Allows) {
  auto const& [name, local, headers, allowed] = GetParam();
  HttpRequest request{.method = "POST", .path = "/-/reload"};
  request.from_loopback = local;
  request.header = [&headers](char const* wanted) -> std::optional<std::string> {
    auto const found = headers.find(wanted);
    if (found == headers.end()) return std::nullopt;
    return found->second;
  };
  auto const refused = refuse_change(request, {});
  EXPECT_EQ(!refused, allowed);
  if (refused) EXPECT_EQ(refused->status, 403);
}

std::map<std::string, std::string> asks(std::string const& host,
                                        std::map<std::string, std::string> more = {}) {
  more["Host"] = host;
  return more;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, PostGuard,
    ::testing::Values(
        Case{"curl_here", true, asks("127.0.0.1:9732"), true},
        Case{"by_name", true, asks("LocalHost:9732"), true},
        Case{"by_ipv6", true, asks("[::1]:9732"), true}, Case{"http_1_0", true, {}, true},
        Case{"another_machine", false, asks("127.0.0.1:9732"), false},
        Case{"a_name_rebound_to_here", true, asks("evil.example:9732"), false},
        Case{"a_name_that_looks_like_here", true, asks("127.0.0.1.evil.example"), false},
        Case{"a_name_that_begins_like_here", true, asks("localhost.evil.example"), false},
        Case{"an_open_bracket", true, asks("[::1"), false},
        Case{"a_proxy_here", true, asks("localhost", {{"X-Forwarded-For", "192.0.2.7"}}), false},
        Case{"a_proxy_by_the_standard", true, asks("localhost", {{"Forwarded", "for=192.0.2.7"}}),
             false},
        Case{"another_site", true, asks("localhost", {{"Origin", "https://evil.example"}}), false},
        Case{"a_sandboxed_page", true, asks("localhost", {{"Origin", "null"}}), false},
        Case{"another_port_here", true,
             asks("localhost:9732", {{"Origin", "http://localhost:8000"}}), false},
        Case{"our_own_page", true,
             asks("localhost:9732",
                  {{"Origin", "http://localhost:9732"}, {"Sec-Fetch-Site", "same-origin"}}),
             true},
        Case{"a_form_without_an_origin", true,
             asks("localhost", {{"Sec-Fetch-Site", "cross-site"}}), false},
        Case{"a_sister_site", true, asks("localhost", {{"Sec-Fetch-Site", "same-site"}}), false}),
    [](auto const& each) { return each.param.name; });

TEST(PostGuardOf, LetsInWhoSaidWhoTheyAreButNoPageOfAnotherSite) {
  std::map<std::string, std::string> headers{{"Host", "canary.example:9732"},
                                             {"X-Forwarded-For", "192.0.2.7"}};
  HttpRequest request{.method = "POST", .path = "/-/reload"};
  request.header = [&headers](char const* wanted) -> std::optional<std::string> {
    auto const found = headers.find(wanted);
    if (found == headers.end()) return std::nullopt;
    return found->second;
  };
  EXPECT_TRUE(refuse_change(request, {}));
  request.authenticated = true;
  EXPECT_FALSE(refuse_change(request, {})) << "from another machine, by a name, through a proxy";
  headers["Origin"] = "https://canary.example:9732";
  EXPECT_FALSE(refuse_change(request, {}));
  headers["Origin"] = "https://evil.example";
  EXPECT_TRUE(refuse_change(request, {})) << "a browser would send the password along";
  headers.erase("Origin");
  headers["Sec-Fetch-Site"] = "cross-site";
  EXPECT_TRUE(refuse_change(request, {}));
}

TEST(PostGuardOf, TrustsThePrivateListener) {
  HttpRequest request{.method = "POST", .path = "/-/reload"};
  request.is_private = true;
  EXPECT_FALSE(refuse_change(request, {}));
}

}  // namespace
}  // namespace canary::daemon

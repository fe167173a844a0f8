// SPDX-License-Identifier: Apache-2.0
// --web.external-url and --web.route-prefix: what they mean, and what they can't be.
#include "daemon/publish/web_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::daemon {
namespace {

using ::testing::HasSubstr;

TEST(WebPlace, IsTheRootUnlessSomethingIsSaid) {
  EXPECT_EQ(web_place("", std::nullopt).value(), WebPlace{});
}

TEST(WebPlace, TakesThePathOfTheExternalUrlForBoth) {
  WebPlace const place{
      .prefix = "/a/canaryd", .base = "/a/canaryd", .host = "monitor.example:8443", .https = true};
  for (char const* path : {"/a/canaryd", "/a/canaryd/", "//a/canaryd//"}) {
    EXPECT_EQ(web_place(std::string{"https://monitor.example:8443"} + path, {}).value(), place);
  }
}

TEST(WebPlace, ServesAtTheRootBehindAProxyThatTakesThePathAway) {
  auto const place = web_place("http://monitor.example/canaryd", "/").value();
  EXPECT_EQ(place.prefix, "");
  EXPECT_EQ(place.base, "/canaryd");
  EXPECT_EQ(web_place("", "canaryd").value().base, "/canaryd");
}

TEST(WebPlace, RefusesWhatIsNoUrlOrNoPath) {
  for (char const* url :
       {"monitor.example", "ftp://monitor.example", "http://", "http:///x", "https://u:p@host/",
        "http://host/x?y", "http://host/a b", "http://host/\"><script>", "http://host/%0d%0aX: y",
        "http://host/a/../b", "http://host/a//b", "http://host\r\n/"}) {
    auto const place = web_place(url, std::nullopt);
    ASSERT_FALSE(place) << url;
    EXPECT_THAT(place.error(), HasSubstr("--web.external-url: expected"));
  }
  EXPECT_THAT(web_place("", "/a/./b").error(), HasSubstr("--web.route-prefix: expected"));
}

TEST(WebPlace, KnowsWhatIsBelowIt) {
  WebPlace const place{.prefix = "/canaryd"};
  EXPECT_EQ(below(place, "/canaryd/metrics"), "/metrics");
  EXPECT_EQ(below(place, "/canaryd/"), "/");
  for (char const* path : {"/canaryd", "/canarydx/metrics", "/metrics", "/", ""}) {
    EXPECT_EQ(below(place, path), std::nullopt) << path;
  }
  EXPECT_EQ(below({}, "/metrics"), "/metrics");
}

TEST(WebPlace, IsBeforeEveryLinkOfAPageAndNowhereElse) {
  EXPECT_EQ(
      with_base("<a href=\"/x\">/y</a><a href=\"https://z/\"><script src=\"/s\"></script>=&quot;/",
                "/c"),
      "<a href=\"/c/x\">/y</a><a href=\"https://z/\"><script src=\"/c/s\"></script>=&quot;/");
  EXPECT_EQ(with_base("<a href=\"/x\">", ""), "<a href=\"/x\">");
}

}  // namespace
}  // namespace canary::daemon

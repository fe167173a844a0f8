// SPDX-License-Identifier: Apache-2.0
// Through proxies: which, how, and what is not looked up here.
#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

using namespace canary::support;

class ThroughProxy : public ClientTest {
 protected:
  ThroughProxy() { settings_.proxy = server_.url(""); }
};

TEST_F(ThroughProxy, HttpRequestsGoInAbsoluteFormAndTheNameIsNotLookedUp) {
  server_.on("http://repository.test/a?b", respond("by proxy"));
  auto const result = get("http://repository.test/a?b");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().body, "by proxy");
  EXPECT_EQ(server_.requests().at(0).headers.at("host"), "repository.test");
}

TEST_F(ThroughProxy, HttpsGoesThroughATunnelAndIsVerifiedForTheRealName) {
  CertificateAuthority const authority{folder(), "ca"};
  HostileServer::Options options;
  options.tls = authority.issue({.names = {"repository.test"}});
  HostileServer target{options};
  target.on("/a", respond("secret"));
  settings_.ca_file = authority.certificate();
  server_.on("repository.test:443", [&target](Peer& peer, ServedRequest const&) {
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
    peer.tunnel(target.port());
  });
  auto const client = make_client();
  for (int i = 0; i < 2; ++i) {
    auto const result = get_with(*client, "https://repository.test/a");
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result.value().body, "secret");
  }
  EXPECT_EQ(server_.requests().at(0).method, "CONNECT");
  EXPECT_EQ(server_.connections(), 1) << "the tunnel is used again";
}

TEST_F(ThroughProxy, ARefusedTunnelIsTheProxysFault) {
  server_.on_any(respond(403, "no"));
  auto const result = get("https://repository.test/");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::proxy);
  EXPECT_EQ(result.error().phase, Phase::proxy);
  EXPECT_EQ(result.error().status, 403);
  EXPECT_FALSE(result.error().answered);
}

TEST_F(ThroughProxy, AnUnreachableProxyIsTheProxysFault) {
  {
    HostileServer const gone;
    settings_.proxy = gone.url("");
  }
  auto const result = get("http://repository.test/");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::proxy);
}

TEST_F(ThroughProxy, CredentialsOfTheProxyGoToItAloneAndIntoNoMessage) {
  auto const text = "http://user:p%40ss@127.0.0.1:" + std::to_string(server_.port());
  settings_.proxy = text;
  server_.on_any(respond(407, "who are you"));
  auto const result = get("http://repository.test/");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::proxy);
  EXPECT_EQ(server_.requests().at(0).headers.at("proxy-authorization"), "Basic dXNlcjpwQHNz");
  EXPECT_EQ(result.error().message, "the proxy 127.0.0.1:" + std::to_string(server_.port()) +
                                        " answers 407 As Scripted: our credentials were refused");
}

TEST_F(ThroughProxy, ItsCredentialsOfTheSettingsGoIntoTheTunnelsRequestAndNotThroughIt) {
  CertificateAuthority const authority{folder(), "ca"};
  HostileServer::Options options;
  options.tls = authority.issue({.names = {"repository.test"}});
  HostileServer target{options};
  target.on("/a", respond("safe"));
  settings_.ca_file = authority.certificate();
  settings_.proxy_credentials = config::Secret{"user:p@ss", {}, "PROXY"};
  server_.on("repository.test:443", [&target](Peer& peer, ServedRequest const&) {
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
    peer.tunnel(target.port());
  });
  ASSERT_TRUE(get("https://repository.test/a"));
  EXPECT_EQ(server_.requests().at(0).headers.at("proxy-authorization"), "Basic dXNlcjpwQHNz");
  EXPECT_FALSE(target.requests().at(0).headers.contains("proxy-authorization"));
}

TEST_F(ThroughProxy, ItsCredentialsGoToNoServerThatIsAskedWithoutIt) {
  settings_.proxy.reset();
  settings_.proxy_credentials = config::Secret{"user:p@ss", {}, "PROXY"};
  server_.on_any(respond("plain"));
  ASSERT_TRUE(get(server_.url("/a")));
  EXPECT_FALSE(server_.requests().at(0).headers.contains("proxy-authorization"));
}

TEST_F(ThroughProxy, IsNamedInWhateverComesThroughIt) {
  server_.on("http://repository.test/missing", respond(404, ""));
  server_.on("http://repository.test/cut", raw_then_reset("HTTP/1.1 200"));
  for (auto const* path : {"missing", "cut"}) {
    auto const result = get("http://repository.test/" + std::string{path});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, ::testing::EndsWith("(through the proxy 127.0.0.1:" +
                                                            std::to_string(server_.port()) + ")"));
  }
}

TEST_F(ThroughProxy, OtherKindsOfProxyAreRefused) {
  settings_.proxy = "https://user:pass@proxy.test:443";
  auto const result = get("http://repository.test/");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::settings);
  EXPECT_EQ(result.error().message.find("pass"), std::string::npos);
}

std::string chosen(std::string const& url, ProxyVariables const& variables,
                   config::HttpSettings const& settings = {}) {
  auto const proxy = proxy_for(config::Url::parse(url).value(), settings, variables);
  if (!proxy) return proxy.error();
  if (!proxy.value()) return "none";
  return proxy.value()->host + ":" + std::to_string(proxy.value()->port);
}

TEST(ProxyChoice, FollowsTheEnvironmentByScheme) {
  ProxyVariables const both{"http://plain:1", "tls:2", "", ""};
  EXPECT_EQ(chosen("http://a.test/", both), "plain:1");
  EXPECT_EQ(chosen("https://a.test/", both), "tls:2");
  ProxyVariables const all{"", "", "http://all:3", ""};
  EXPECT_EQ(chosen("https://a.test/", all), "all:3");
  EXPECT_EQ(chosen("https://a.test/", {}), "none");
}

TEST(ProxyChoice, IsTheSettingsWhereThereIsOne) {
  config::HttpSettings settings;
  settings.proxy = "http://own:4";
  EXPECT_EQ(chosen("http://a.test/", {"http://plain:1", "", "", "*"}, settings), "own:4");
  settings.proxy.reset();
  settings.proxy_from_environment = false;
  EXPECT_EQ(chosen("http://a.test/", {"http://plain:1", "", "", ""}, settings), "none");
}

struct BypassCase {
  std::string name, list, host;
  bool bypasses;
};

class Bypass : public ::testing::TestWithParam<BypassCase> {};

TEST_P(Bypass, CoversAsListed) {
  EXPECT_EQ(bypasses_proxy(GetParam().list, GetParam().host, 8080), GetParam().bypasses);
}

INSTANTIATE_TEST_SUITE_P(
    NoProxy, Bypass,
    ::testing::Values(BypassCase{"nothing", "", "a.test", false},
                      BypassCase{"everything", "*", "a.test", true},
                      BypassCase{"the_name", "b.test, a.test", "a.test", true},
                      BypassCase{"another_name_of_that_length", "b.test", "a.test", false},
                      BypassCase{"subdomain", "test.org", "a.test.org", true},
                      BypassCase{"subdomain_with_dot", ".test.org", "a.test.org", true},
                      BypassCase{"star_dot", "*.test.org", "a.test.org", true},
                      BypassCase{"only_an_ending", "est.org", "a.test.org", false},
                      BypassCase{"case", "A.TEST", "a.test", true},
                      BypassCase{"same_port", "a.test:8080", "a.test", true},
                      BypassCase{"other_port", "a.test:81", "a.test", false},
                      BypassCase{"address", "10.0.0.1", "10.0.0.1", true},
                      BypassCase{"network", "10.0.0.0/8", "10.9.8.7", true},
                      BypassCase{"outside_the_network", "10.0.0.0/8", "11.0.0.1", false},
                      BypassCase{"ipv6", "::1", "::1", true},
                      BypassCase{"ipv6_with_port", "[::1]:8080", "::1", true},
                      BypassCase{"ipv6_network", "fd00::/8", "fd12::1", true}),
    [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::fetch

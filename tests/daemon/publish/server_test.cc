// SPDX-License-Identifier: Apache-2.0
// canaryd's own HTTP server over real sockets.
#include <atomic>
#include <chrono>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/later_answers.h"
#include "daemon/watchdog/sample/self_channels.h"
#include "tests/daemon/publish/exposition_parser.h"
#include "tests/daemon/publish/server_fixture.h"
#include "tests/support/read_file.h"

namespace canary::daemon {
namespace {

TEST_F(ServerTest, ServesMetricsWithTheContentTypeThatPrometheusExpects) {
  start();
  auto const reply = Client{address()}.request("GET", "/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  auto const page = tests::parse_exposition(reply.body);
  EXPECT_THAT(page.problems, IsEmpty());
  EXPECT_EQ(page.value(R"(canaryd_probe_runs_total{probe="demo"})"), 0);
}

TEST_F(ServerTest, AnswersInTheFormAndTheEncodingThatAClientAsksFor) {
  start();
  Client client{address()};
  auto const plain = client.request("GET", "/metrics");
  EXPECT_FALSE(plain.headers.contains("content-encoding"));
  EXPECT_EQ(plain.headers.at("vary"), "Accept, Accept-Encoding");
  auto const open =
      client.request("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
  EXPECT_EQ(open.headers.at("content-type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_THAT(open.body, HasSubstr("# TYPE canaryd_probe_runs counter\n"));
  EXPECT_THAT(open.body, ::testing::EndsWith("\n# EOF\n"));
  auto const zipped = client.request("GET", "/metrics", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
  EXPECT_LT(zipped.body.size(), plain.body.size() / 3);
  EXPECT_THAT(zipped.body, StartsWith("\x1f\x8b"));
  auto const head = client.request("HEAD", "/metrics", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(head.headers.at("content-encoding"), "gzip");
  auto const small = client.request("GET", "/-/healthy", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(small.body, "canaryd works.\n") << "not worth it";
  auto const none = client.request("GET", "/nothing", "Accept-Encoding: gzip\r\n");
  EXPECT_FALSE(none.headers.contains("content-encoding"));
}

// Each `/path` in it, without parameters.
std::set<std::string> paths_in(std::string const& text) {
  std::set<std::string> found;
  std::regex const path{R"((?:^|[ `])(/(?:[-\w.]+(?:/[-\w.]+)*)?)(?=[ `?\n]))"};
  for (std::sregex_iterator at{text.begin(), text.end(), path}, end; at != end; ++at) {
    found.insert((*at)[1]);
  }
  return found;
}

TEST_F(ServerTest, HasTheEndpointsOfTheManualAndNoOthers) {
  start();
  auto const told = Client{address()}.request("GET", "/there-is-none").body;
  std::string documented;
  std::istringstream manual{support::read_file("docs/canaryd.md")};
  for (std::string line; std::getline(manual, line);) {
    if (line.starts_with("| `/") || line.starts_with("| `POST /")) {
      documented += line.substr(0, line.find(" | ", 2)) + "\n";
    }
  }
  EXPECT_EQ(paths_in(documented), paths_in(told));
  EXPECT_GT(paths_in(told).size(), 20U);
}

TEST_F(ServerTest, CountsItsOwnAnswers) {
  start();
  Client client{address()};
  client.request("GET", "/nothing");
  client.request("GET", "/api/v1/probes");
  client.request("GET", "/-/healthy");
  auto const page = tests::parse_exposition(client.request("GET", "/metrics").body);
  EXPECT_EQ(page.value(R"(canaryd_http_requests_total{code="404",handler="other"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_http_requests_total{code="200",handler="/api/v1"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_http_requests_total{code="200",handler="/-/healthy"})"), 1);
}

struct RouteCase {
  std::string name, path;
  int status;
  std::string type, text;
};
class Route : public ServerTest, public ::testing::WithParamInterface<RouteCase> {};

TEST_P(Route, AnswersWith) {
  start();
  auto const reply = Client{address()}.request("GET", GetParam().path);
  EXPECT_EQ(reply.status, GetParam().status);
  EXPECT_THAT(reply.headers.at("content-type"), StartsWith(GetParam().type));
  EXPECT_THAT(reply.body, HasSubstr(GetParam().text));
  EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff");
  EXPECT_THAT(reply.headers.at("content-security-policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(reply.headers.at("cache-control"), "no-store");
}
INSTANTIATE_TEST_SUITE_P(
    Cases, Route,
    ::testing::Values(
        RouteCase{"overview", "/", 200, "text/html", "/probe/demo"},
        RouteCase{"page_of_a_probe", "/probe/demo", 200, "text/html", "demo: running"},
        RouteCase{"no_page", "/probe/other", 404, "text/plain", "No probe is called"},
        RouteCase{"incidents", "/incidents", 200, "text/html", "There is none here"},
        RouteCase{"style", "/assets/page.css", 200, "text/css", "body{"},
        RouteCase{"script", "/assets/page.js", 200, "text/javascript", "fetch("},
        RouteCase{"badge", "/badge/demo.svg", 200, "image/svg+xml", "running"},
        RouteCase{"healthy", "/-/healthy", 200, "text/plain", "works"},
        RouteCase{"not_ready", "/-/ready", 503, "text/plain", "no configuration is loaded"},
        RouteCase{"probes", "/api/v1/probes", 200, "application/json", "\"name\":\"demo\""},
        RouteCase{"one_probe", "/api/v1/probes/demo", 200, "application/json", "\"findings\""},
        RouteCase{"with_a_query", "/api/v1/probes/demo?x=1", 200, "application/json", "demo"},
        RouteCase{"status", "/api/v1/status", 200, "application/json", "\"pending\":1"},
        RouteCase{"no_such_probe", "/api/v1/probes/%3Cb%3E", 404, "application/json",
                  "no probe is called"},
        RouteCase{"no_such_api", "/api/v1/nothing", 404, "application/json", "/api/v1/status"},
        RouteCase{"no_such_page", "/nothing", 404, "text/plain", "/metrics"}),
    [](auto const& info) { return info.param.name; });

TEST_F(ServerTest, SaysThatItIsUnhealthyWhileTheLoopHangsAndStillServesMetrics) {
  start();
  dead_ = true;
  Client client{address()};
  auto const health = client.request("GET", "/-/healthy");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(health.body, "the loop hangs\n");
  EXPECT_EQ(client.request("GET", "/-/live").status, 200) << "reporting is not judging";
  gone_ = true;
  EXPECT_EQ(client.request("GET", "/-/live").body, "loop hung for 12 s: lock\n");
  EXPECT_EQ(client.request("GET", "/metrics").status, 200);
}

TEST_F(ServerTest, KeepsAConnectionForManyRequests) {
  start();
  Client client{address()};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.request("GET", "/-/healthy").status, 200) << i;
  }
}

TEST_F(ServerTest, AnswersHeadWithTheHeadersOfGetAndNoBody) {
  start();
  Client client{address()};
  auto const get = client.request("GET", "/-/healthy");
  auto const head = client.request("HEAD", "/-/healthy");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), get.headers.at("content-length"));
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(client.request("GET", "/-/healthy").status, 200) << "nothing is left over";
}

TEST_F(ServerTest, RefusesOtherMethodsAndSaysWhichThereAre) {
  start();
  for (char const* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    auto const reply = Client{address()}.request(method, "/metrics");
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_EQ(reply.headers.at("allow"), "GET, HEAD") << method;
  }
}

TEST_F(ServerTest, ReloadsForThisMachineAndAnswersOnceItHasEnded) {
  server_ = std::move(Server::start(settings_, with_reloads())).value();
  std::string const host = "127.0.0.1";
  auto const post = [&](std::string const& more) {
    Client client{address()};
    client.send("POST /-/reload HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n");
    return client.read_reply(false);
  };
  EXPECT_EQ(post("Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(post("Content-Length: 4\r\n").status, 413);
  EXPECT_EQ(Client{address()}.request("GET", "/-/reload").headers.at("allow"), "POST");
  EXPECT_EQ(reloads_wanted_, 0);

  std::thread control{[&] {
    using enum ReloadOutcome::Kind;
    for (auto const kind : {accepted, refused, failed}) {
      reloads_wanted_.wait(0);
      reloads_wanted_ = 0;
      reloads_.end(reloads_.begin(), {.kind = kind, .lines = {"probe x: added"}});
    }
  }};
  auto const good = post("");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "reloaded\n  probe x: added\n");
  auto const bad = post("Content-Length: 0\r\n");
  EXPECT_EQ(bad.status, 500);
  EXPECT_EQ(bad.body, "probe x: added\nrefused; the running configuration stays in force\n");
  EXPECT_EQ(post("").body, "probe x: added\nfailed; the running configuration stays in force\n");
  control.join();
}

TEST_F(ServerTest, KeepsAFewWhoWaitAndLetsThemGoAtItsEnd) {
  server_ = std::move(Server::start(settings_, with_reloads())).value();
  std::vector<std::unique_ptr<Client>> waiting;
  for (std::size_t i = 0; i < LaterAnswers::kMostWaiting; ++i) {
    waiting.push_back(std::make_unique<Client>(address()));
    waiting.back()->send("POST /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  std::vector<int> refused;
  while (refused.empty()) {  // those before may not have been read yet
    Client more{address()};
    more.send("POST /-/reload HTTP/1.1\r\nHost: localhost\r\n\r\n");
    if (more.has_more_within(200ms)) refused.push_back(more.read_reply(false).status);
    if (refused.empty()) waiting.push_back(nullptr);
    ASSERT_LT(waiting.size(), 100U);
  }
  EXPECT_EQ(refused.front(), 503);
  EXPECT_EQ(Client{address()}.request("GET", "/-/healthy").status, 200) << "others are answered";
  server_->stop();
  // What it says at its end may get out or not.
  EXPECT_THAT(waiting.front()->read_reply(false).status, ::testing::AnyOf(0, 500));
}

TEST_F(ServerTest, RefusesABodyBeforeItArrives) {
  start();
  Client post{address()}, get{address()};
  EXPECT_EQ(post.request("POST", "/metrics", "Content-Length: 1000000000\r\n").status, 405);
  EXPECT_TRUE(post.closed_by_server());
  EXPECT_EQ(get.request("GET", "/metrics", "Content-Length: 1000000000\r\n").status, 413);
  EXPECT_TRUE(get.closed_by_server());
}

TEST_F(ServerTest, ListensOnIpv6AndSeveralAddresses) {
  settings_.listen_addresses = {"127.0.0.1:0", "[::1]:0"};
  auto started = Server::start(settings_, sources());
  if (!started) GTEST_SKIP() << "no IPv6 here: " << started.error();
  server_ = std::move(started).value();
  ASSERT_THAT(server_->addresses(), SizeIs(2));
  EXPECT_THAT(address(1), StartsWith("[::1]:"));
  EXPECT_EQ(Client(address(0)).request("GET", "/-/healthy").status, 200);
  EXPECT_EQ(Client(address(1)).request("GET", "/-/healthy").status, 200);
}

TEST_F(ServerTest, ListensOnEveryAddressWithoutAHost) {
  settings_.listen_addresses = {":0"};
  start();
  auto const port = address().substr(address().rfind(':'));
  EXPECT_EQ(Client("127.0.0.1" + port).request("GET", "/-/healthy").status, 200);
}

TEST_F(ServerTest, NamesTheAddressThatIsInUse) {
  start();
  settings_.listen_addresses = {"127.0.0.1:0", address()};
  auto const second = Server::start(settings_, sources());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "cannot listen on " + address() + ": Address already in use");
}

struct AddressCase {
  std::string name, address, error;
};
class BadAddress : public ServerTest, public ::testing::WithParamInterface<AddressCase> {};
TEST_P(BadAddress, IsRefused) {
  settings_.listen_addresses = {GetParam().address};
  auto const started = Server::start(settings_, sources());
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error(), HasSubstr(GetParam().error));
  EXPECT_THAT(started.error(), HasSubstr(GetParam().address));
}
INSTANTIATE_TEST_SUITE_P(
    Cases, BadAddress,
    ::testing::Values(AddressCase{"no_port", "127.0.0.1", "expected host:port"},
                      AddressCase{"bare_ipv6", "::1:80", "expected host:port"},
                      AddressCase{"large_port", "127.0.0.1:70000", "expected host:port"},
                      AddressCase{"named_port", "127.0.0.1:http", "expected host:port"},
                      AddressCase{"not_ours", "192.0.2.1:0", "Cannot assign requested address"}),
    [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::daemon

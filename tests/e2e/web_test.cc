// SPDX-License-Identifier: Apache-2.0
// What exporters serve by convention, served by the real canaryd.
// Thread: main.
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include "tests/daemon/publish/plain_client.h"
#include "tests/e2e/site.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSeldom[] = "    interval: 24h\n";

tests::Reply post(Daemon& daemon, std::string const& path) {
  tests::Client client{daemon.address()};
  client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return client.read_reply(false);
}

TEST(Web, ReloadsAndShowsTheConfigurationInForceWithoutItsSecrets) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  site.write("token", "abc-secret-xyz");
  std::string const secret =
      "    http: {headers: {Authorization: {file: " + (site.path() / "token").string() + "}}}\n";
  site.configure({site.probe("repo", secret)});
  Daemon daemon{(site.path() / "canaryd.yml").string()};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  std::string const before = daemon.get("/config");
  EXPECT_THAT(before, HasSubstr("name: \"repo\""));
  EXPECT_THAT(before, Not(HasSubstr("abc-secret")));
  EXPECT_THAT(before, Not(HasSubstr("name: \"fresh\"")));

  site.publish("fresh", tuf::a_repository(now()));
  site.configure({site.probe("repo", secret), site.probe("fresh")});
  auto const good = post(daemon, "/-/reload");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "reloaded\n  probe fresh: added\n");
  EXPECT_THAT(daemon.get("/config"), HasSubstr("name: \"fresh\""));

  site.write("canaryd.yml", "probes:\n  - name: a b\n");
  auto const bad = post(daemon, "/-/reload");
  EXPECT_EQ(bad.status, 500);
  EXPECT_THAT(bad.body, HasSubstr(":2:11: probes[0].name: "));
  EXPECT_THAT(daemon.get("/config"), HasSubstr("name: \"fresh\"")) << "what is in force";
}

TEST(Web, ProbesForWhoeverScrapesATarget) {
  Site const site;
  auto repository = tuf::a_repository(now());
  site.publish("repo", repository);
  Daemon daemon{site.configure({site.probe("repo", kSeldom)})};
  ASSERT_TRUE(daemon.reaches(runs_of("repo"), 1)) << daemon.log();
  auto const listed = boost::json::parse(daemon.get("/sd"));
  EXPECT_EQ(listed.at(0).at("labels").at("__param_target"), "repo");
  // A day's interval: a run that began within the last hours will do.
  EXPECT_THAT(daemon.get("/probe?target=repo"), HasSubstr("\nprobe_success 1\n"));
  EXPECT_EQ(daemon.metric(runs_of("repo")), 1);
  EXPECT_THAT(daemon.get("/probe?target=repo&debug=true"), HasSubstr("HEALTHY  repo"));
  EXPECT_EQ(daemon.status_of("/probe?target=http://example.org/"), 400);
}

TEST(Web, IsBelowThePathOfItsExternalUrl) {
  Site const site;
  site.publish("repo", tuf::a_repository(now()));
  std::string const config = site.configure({site.probe("repo", kSeldom)});
  Daemon daemon{config, {"--web.external-url", "https://monitor.example/canaryd/"}};
  ASSERT_TRUE(daemon.process().says("monitoring")) << daemon.log();
  tests::Client client{daemon.address()};
  auto const home = client.request("GET", "/");
  EXPECT_EQ(home.status, 302);
  EXPECT_EQ(home.headers.at("location"), "/canaryd/");
  EXPECT_EQ(client.request("GET", "/metrics").status, 404);
  EXPECT_EQ(client.request("GET", "/canaryd/metrics").status, 200);
  auto const page = client.request("GET", "/canaryd/probe/repo").body;
  EXPECT_THAT(page, HasSubstr("href=\"/canaryd/incidents?since=90d&amp;probe=repo\""));
  EXPECT_THAT(page, Not(HasSubstr("=\"/incidents")));
  EXPECT_EQ(client.request("GET", "/canaryd/assets/page.css").status, 200);
  auto const listed = boost::json::parse(client.request("GET", "/canaryd/sd").body);
  EXPECT_EQ(listed.at(0).at("targets").at(0), "monitor.example");
  EXPECT_EQ(listed.at(0).at("labels").at("__scheme__"), "https");
  EXPECT_EQ(listed.at(0).at("labels").at("__metrics_path__"), "/canaryd/probe");
  EXPECT_EQ(canaryd({"status", "--config", config}).code, 0) << "this machine asks as ever";
  auto const bad = canaryd({"run", "--config", config, "--web.external-url", "monitor.example"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err, HasSubstr("--web.external-url: expected http://HOST"));
}

}  // namespace
}  // namespace canary::e2e

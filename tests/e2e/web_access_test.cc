// SPDX-License-Identifier: Apache-2.0
// The real canaryd with --web.config.file: TLS and passwords for those outside, this machine's own
// commands as ever, and files that change while it runs.
// Thread: main.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/daemon/publish/plain_client.h"
#include "tests/e2e/site.h"
#include "tests/support/certificates.h"

namespace canary::e2e {
namespace {

using support::CertificateAuthority;
using support::eventually;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Of "correct horse" and "battery staple", at the least cost.
constexpr char kHorse[] = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
constexpr char kStaple[] = "$2b$04$abcdefghijklmnopqrstuuhfdSToe28Z2OzxmmHxfI3lnNDfjxoF6";
constexpr char kSeldom[] = "    interval: 24h\n";

class WebAccess : public ::testing::Test {
 protected:
  WebAccess() {
    site_.publish("repo", tuf::a_repository(now()));
    config_ = site_.configure({site_.probe("repo", kSeldom)});
    authority_.issue({.addresses = {"127.0.0.1"}});
    configure(kHorse);
  }
  std::string path(std::string const& name) const { return (site_.path() / name).string(); }
  void configure(std::string const& hash, std::string const& more = {}) const {
    site_.write("web.yml", "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n" +
                               more + "basic_auth_users:\n  alice: " + hash + "\n");
  }
  std::vector<std::string> flags() const { return {"--web.config.file", path("web.yml")}; }
  // HTTP's status, by curl; 0 where there was none.
  int status(Daemon& daemon, std::string const& url_path, std::string const& password,
             std::vector<std::string> more = {}) const {
    std::vector<std::string> command{"/usr/bin/curl", "--silent",
                                     "--max-time",    "30",
                                     "--cacert",      authority_.certificate().string(),
                                     "--output",      "/dev/null",
                                     "--user",        "alice:" + password,
                                     "--write-out",   "%{http_code}"};
    command.insert(command.end(), more.begin(), more.end());
    command.push_back("https://" + daemon.address() + url_path);
    return std::atoi(support::run(command).out.c_str());
  }
  std::string get(Daemon& daemon, std::string const& url_path, std::string const& password) const {
    return support::run({"/usr/bin/curl", "--silent", "--max-time", "30", "--cacert",
                         authority_.certificate().string(), "--user", "alice:" + password,
                         "https://" + daemon.address() + url_path})
        .out;
  }
  // As it is written; "" where there is none.
  std::string metric(Daemon& daemon, std::string const& series) const {
    std::string const page = "\n" + get(daemon, "/metrics", password_);
    auto const found = page.find("\n" + series + " ");
    if (found == std::string::npos) return {};
    auto const from = found + series.size() + 2;
    return page.substr(from, page.find('\n', from) - from);
  }
  // Of the certificate that a new connection is shown.
  std::string shown(Daemon& daemon) const {
    auto const ran = support::run({"/bin/sh", "-c",
                                   "openssl s_client -connect " + daemon.address() +
                                       " </dev/null 2>/dev/null | openssl x509 -noout -serial"});
    return ran.out;
  }

  Site site_;
  CertificateAuthority authority_{site_.path(), "authority"};
  std::string config_, password_ = "correct horse";  // what metric() asks with
};

TEST_F(WebAccess, IsAskedOfThoseOutsideAndOfNoCommandHere) {
  Daemon daemon{config_, flags()};
  ASSERT_TRUE(daemon.process().says("monitoring")) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("scheme=https"));
  EXPECT_EQ(status(daemon, "/metrics", "correct horse"), 200);
  EXPECT_EQ(status(daemon, "/-/healthy", "wrong horse"), 401);
  EXPECT_EQ(status(daemon, "/-/reload", "correct horse", {"--request", "POST"}), 200);
  EXPECT_EQ(status(daemon, "/-/reload", "wrong horse", {"--request", "POST"}), 401);
  EXPECT_TRUE(tests::Client{daemon.address()}.request("GET", "/metrics").status == 0)
      << "without TLS";

  for (std::vector<std::string> arguments :
       {std::vector<std::string>{"status"}, {"reload"}, {"run-now", "repo"}, {"dump"}}) {
    arguments.insert(arguments.begin() + 1, {"--config", config_});
    auto const ran = canaryd(arguments);
    EXPECT_EQ(ran.code, 0) << arguments.front() << ran.out << ran.err;
  }
  // What people are shown has neither password nor hash.
  auto const dump = canaryd({"dump", "--config", config_}).out;
  EXPECT_THAT(get(daemon, "/sd", "correct horse"), HasSubstr("\"__scheme__\":\"https\""));
  auto const config = get(daemon, "/config", "correct horse");
  EXPECT_THAT(config, HasSubstr("name: \"repo\""));
  for (auto const& text : {dump, config, daemon.log()}) {
    for (char const* const secret : {"correct horse", "wrong horse", kHorse, "YWxpY2U6"}) {
      EXPECT_THAT(text, Not(HasSubstr(secret)));
    }
  }
  EXPECT_EQ(daemon.stop(), 0);
}

// Nobody is there who could encrypt: a scraper sees an end at once, and does not wait.
TEST_F(WebAccess, HangsUpOnThoseOutsideWhileItsServerHangs) {
  site_.publish("victim", tuf::a_repository(now()));
  std::string const config = site_.configure(
      {site_.probe("victim")},
      "watchdog: {loop_suspect: 100ms, loop_stall: 300ms, loop_hung: 700ms, loop_dead: 10m, "
      "server_stall: 1s}\n");
  support::ChildProcess hung{
      {CANARYD_FAULTS, "run", "--config", config, "--web.config.file", path("web.yml")},
      {"CANARY_FAULT=hold-malloc", "CANARY_FAULT_MS=60000", "MALLOC_ARENA_MAX=1",
       "CANARY_FAULT_DIR=" + site_.path().string()}};
  ASSERT_TRUE(hung.says("msg=listening")) << hung.err();
  std::string const log = hung.err();
  auto const from = log.find(" address=", log.find("msg=listening")) + 9;
  std::string const url = "https://" + log.substr(from, log.find_first_of(" \n", from) - from);
  auto const ask = [&] {
    return support::run({"/usr/bin/curl", "--silent", "--max-time", "5", "--cacert",
                         authority_.certificate().string(), "--user", "alice:correct horse",
                         url + "/-/live"});
  };
  ASSERT_EQ(ask().code, 0);
  site_.write("trigger", "");
  ASSERT_TRUE(eventually([this] { return std::filesystem::exists(path("started")); }));
  constexpr int kTimedOut = 28;
  EXPECT_TRUE(eventually([&] {
    auto const code = ask().code;
    return code != 0 && code != kTimedOut;
  }));
  // This machine's own commands are told what its watchdog knows.
  auto const status = canaryd({"status", "--config", config});
  EXPECT_EQ(status.code, 1);
  EXPECT_THAT(status.out, AllOf(HasSubstr("canaryd hangs: the loop has not turned for "),
                                HasSubstr("and the HTTP server has not answered for ")));
  EXPECT_EQ(canaryd({"status", "--live", "--config", config}).code, 1);
  auto const json = canaryd({"status", "--output", "json", "--config", config});
  EXPECT_EQ(json.code, 1);
  EXPECT_THAT(json.out, HasSubstr("{\"watchdog\":\"the loop has not turned for "));
  EXPECT_THAT(canaryd({"dump", "--config", config}).err, HasSubstr("canaryd dump --last"));
  EXPECT_THAT(canaryd({"dump", "--last", "--config", config}).out, HasSubstr("victim"));
}

TEST_F(WebAccess, FollowsItsFilesWhileItRuns) {
  Daemon daemon{config_, flags()};
  ASSERT_TRUE(daemon.process().says("monitoring")) << daemon.log();
  auto const before = shown(daemon);
  authority_.issue({.file_name = "next", .addresses = {"127.0.0.1"}});
  // Certificate first, key later, each in one step, as tools do it.
  std::filesystem::rename(path("next.pem"), path("server.pem"));
  std::filesystem::rename(path("next.key"), path("server.key"));
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(status(daemon, "/-/healthy", "correct horse"), 200) << "at no moment";
    return shown(daemon) != before;
  })) << daemon.log();

  configure(kStaple);
  EXPECT_TRUE(eventually([&] { return status(daemon, "/-/live", "battery staple") == 200; }));
  EXPECT_EQ(status(daemon, "/-/live", "correct horse"), 401);

  configure("no hash");
  EXPECT_TRUE(daemon.process().says("web.yml:5:10: basic_auth_users.alice: expected a bcrypt hash"))
      << daemon.log();
  EXPECT_EQ(status(daemon, "/-/live", "battery staple"), 200) << "as before";
  password_ = "battery staple";
  EXPECT_EQ(metric(daemon, "canaryd_config_last_reload_successful"), "0") << "an alert tells";
  site_.write("server.key", "not a key\n");
  configure(kHorse);
  EXPECT_TRUE(daemon.process().says("web.yml:3:13: tls_server_config.key_file: ")) << daemon.log();
  EXPECT_EQ(status(daemon, "/-/live", "battery staple"), 200);
  authority_.issue({.addresses = {"127.0.0.1"}});
  EXPECT_TRUE(eventually([&] { return status(daemon, "/-/live", "correct horse") == 200; }));
  password_ = "correct horse";
  EXPECT_TRUE(
      eventually([&] { return metric(daemon, "canaryd_config_last_reload_successful") == "1"; }));
  EXPECT_EQ(count(daemon.log(), "msg=listening"), 1) << "the listener stood all the while";
}

TEST_F(WebAccess, IsReloadedWithTheConfigurationOrRefusedWithIt) {
  Daemon daemon{config_, flags()};
  ASSERT_TRUE(daemon.process().says("monitoring")) << daemon.log();
  configure(kStaple);
  EXPECT_EQ(canaryd({"reload", "--config", config_}).code, 0);
  EXPECT_EQ(status(daemon, "/-/live", "battery staple"), 200) << "at once";
  configure(kStaple, "  cipher_suites: [x]\n");
  auto const refused = canaryd({"reload", "--config", config_});
  EXPECT_EQ(refused.code, 78);
  EXPECT_THAT(refused.out + refused.err,
              HasSubstr("web.yml:4:18: tls_server_config.cipher_suites: is not honoured here"));
  site_.write("web.yml", std::string{"basic_auth_users:\n  alice: "} + kHorse + "\n");
  auto const later = canaryd({"reload", "--config", config_});
  EXPECT_EQ(later.code, 0);
  EXPECT_THAT(later.out, HasSubstr("TLS of --web.config.file takes effect at the next restart"));
  EXPECT_EQ(status(daemon, "/-/live", "battery staple"), 200)
      << "no password goes over the wire in the clear";
}

TEST_F(WebAccess, IsRefusedAtTheStartByFileLineAndField) {
  configure(kHorse, "  min_version: SSL3\n");
  for (auto const& ran :
       {canaryd({"run", "--config", config_, "--web.config.file", path("web.yml")}),
        canaryd({"config", "check", config_, "--web.config.file", path("web.yml")})}) {
    EXPECT_EQ(ran.code, 78);
    EXPECT_THAT(ran.err, HasSubstr(path("web.yml") +
                                   ":4:16: tls_server_config.min_version: expected one of TLS10"));
  }
  configure(kHorse);
  auto const good = canaryd({"config", "check", config_, "--web.config.file", path("web.yml")});
  EXPECT_EQ(good.code, 0);
  EXPECT_THAT(good.out, HasSubstr("web.yml: good; TLS: yes, users: 1\n"));
}

TEST_F(WebAccess, IsScrapedByPrometheus) {
  if (!std::filesystem::exists("/usr/bin/prometheus")) GTEST_SKIP() << "no prometheus here";
  Daemon daemon{config_, flags()};
  ASSERT_TRUE(daemon.process().says("monitoring")) << daemon.log();
  auto const job = [&](std::string const& name, std::string const& password) {
    return "  - job_name: " + name +
           "\n    scheme: https\n    basic_auth: {username: alice, password: " + password +
           "}\n    tls_config: {ca_file: " + authority_.certificate().string() +
           "}\n    static_configs: [{targets: [\"" + daemon.address() + "\"]}]\n";
  };
  site_.write("prometheus.yml", "global: {scrape_interval: 1s}\nscrape_configs:\n" +
                                    job("right", "correct horse") + job("wrong", "another"));
  support::ChildProcess prometheus{{"/usr/bin/prometheus",
                                    "--config.file=" + path("prometheus.yml"),
                                    "--storage.tsdb.path=" + path("data"),
                                    "--web.listen-address=127.0.0.1:0", "--log.level=debug"}};
  ASSERT_TRUE(prometheus.says("\"Listening on\" address=")) << prometheus.err();
  auto const address = [&] {
    std::string const before = "\"Listening on\" address=", log = prometheus.err();
    auto const from = log.find(before) + before.size();
    return log.substr(from, log.find('\n', from) - from);
  }();
  EXPECT_TRUE(eventually([&] {
    tests::Client client{address};
    auto const query = "/api/v1/query?query=up%7Bjob%3D%22right%22%7D%3D%3D1";
    return client.connected() &&
           client.request("GET", query).body.find("\"job\":\"right\"") != std::string::npos;
  })) << prometheus.err();
  EXPECT_TRUE(prometheus.says("server returned HTTP status 401 Unauthorized")) << prometheus.err();
  EXPECT_THAT(prometheus.err(), Not(HasSubstr("scrape_pool=right")));
}

}  // namespace
}  // namespace canary::e2e

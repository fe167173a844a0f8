// SPDX-License-Identifier: Apache-2.0
// `canaryd run` as a program: it starts, serves, logs and stops.
// Thread: main.
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>

#include "tests/daemon/publish/plain_client.h"
#include "tests/e2e/site.h"
#include "tests/support/hostile_server.h"

namespace canary::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Run, RefusesABadConfigurationAndNamesEachPlace) {
  Site const site;
  std::string const file = site.write("canaryd.yml",
                                      "worker: 2\n"
                                      "probes:\n"
                                      "  - name: a\n"
                                      "    interval: 10\n");
  auto const ran = canaryd({"run", "--config", file});
  EXPECT_EQ(ran.code, 78);
  EXPECT_THAT(ran.err, HasSubstr(file + ":1:1: worker: "));
  EXPECT_THAT(ran.err, HasSubstr("workers"));
  EXPECT_THAT(ran.err, HasSubstr(file + ":4:15: probes[0].interval: "));
}

TEST(Run, RefusesAConfigurationThatIsNotThere) {
  auto const ran = canaryd({"run", "--config", "/nowhere/canaryd.yml"});
  EXPECT_EQ(ran.code, 78);
  EXPECT_THAT(ran.err, HasSubstr("/nowhere/canaryd.yml"));
}

TEST(Run, BecomesReadyAndShowsItsProbes) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  site.publish("off", tuf::a_repository(now()));
  Daemon daemon{site.configure({site.probe("good"), site.probe("off", "    enabled: false\n")})};
  ASSERT_TRUE(daemon.ready()) << daemon.log();
  EXPECT_EQ(daemon.status_of("/-/healthy"), 200);
  EXPECT_EQ(daemon.metric("canaryd_config_probes"), 1);
  EXPECT_TRUE(daemon.reaches(runs_of("good"), 2));
  EXPECT_EQ(daemon.metric("canaryd_probe_success{probe=\"good\"}"), 1);
  EXPECT_EQ(daemon.metric("canaryd_probe_enabled{probe=\"off\"}"), 0);
  EXPECT_THAT(daemon.get("/api/v1/probes"), HasSubstr(R"("name":"good")"));
}

TEST(Run, GoesOnAfterARestartWhereItWas) {
  Site const site;
  site.publish("old", tuf::a_repository(now() - std::chrono::days{4'000}));
  std::string const config = site.configure({site.probe("old")});
  std::string const since = "\"since\":\"";
  auto const since_in = [&](std::string const& page) { return page.substr(page.find(since), 40); };
  std::string before;
  {
    Daemon daemon{config};
    ASSERT_TRUE(daemon.reaches(runs_of("old"), 1)) << daemon.log();
    EXPECT_THAT(daemon.log(), HasSubstr("from=\"not looked at before\" to=critical"));
    before = since_in(daemon.get("/api/v1/probes"));
    EXPECT_EQ(daemon.stop(), 0);
  }
  Daemon daemon{config};
  ASSERT_TRUE(daemon.reaches(runs_of("old"), 1)) << daemon.log();
  EXPECT_EQ(since_in(daemon.get("/api/v1/probes")), before);
  EXPECT_GE(daemon.metric("canaryd_probe_consecutive_failures{probe=\"old\"}").value_or(0), 2);
  EXPECT_THAT(daemon.log(), Not(HasSubstr("changed state"))) << "nothing has changed";
  EXPECT_THAT(daemon.log(), Not(HasSubstr("finding"))) << "nothing has changed";
}

TEST(Run, ShowsNothingOfARepositoryThatATerminalWouldObey) {
  Site const site;
  tuf::Repository repository = tuf::a_repository(now());
  repository.targets.delegations = {{.name = "\x1B]0;OWNED\x07\x1B[2J\xC2\x9B"
                                             "31m\xE2\x80\xAE"
                                             "evil",
                                     .signers = {.keys = {tuf::SigningKey::ed25519("d")}},
                                     .paths = {"d/*"}}};
  site.publish("hostile", repository);
  for (auto const& file : std::filesystem::directory_iterator{site.path() / "hostile/metadata"}) {
    if (file.path().string().find("evil") != std::string::npos) {
      std::filesystem::remove(file.path());  // so that its name is told
    }
  }
  std::string const config = site.configure({site.probe("hostile")});
  Daemon daemon{config};
  ASSERT_TRUE(daemon.reaches(runs_of("hostile"), 1)) << daemon.log();
  auto const status = canaryd({"status", "--config", config});
  auto const check = canaryd({"check", "--config", config});
  for (std::string const& shown :
       {status.out, check.out, daemon.log(), daemon.get("/"), daemon.get("/metrics"),
        daemon.get("/api/v1/probes/hostile"), daemon.get("/debug/executor")}) {
    for (std::string const raw : {"\x1B", "\x07", "\xC2\x9B", "\xE2\x80\xAE"}) {
      EXPECT_THAT(shown, Not(HasSubstr(raw)));
    }
  }
  std::string const name = R"(\x1b]0;OWNED\x07\x1b[2J\u{009b}31m\u{202e}evil)";
  EXPECT_THAT(status.out, HasSubstr(name));
  EXPECT_THAT(status.out, HasSubstr(site.metadata_url("hostile")));
  EXPECT_THAT(check.out, HasSubstr(name));
  EXPECT_THAT(daemon.log(),
              HasSubstr(R"(subject="\\x1b]0;OWNED\\x07\\x1b[2J\\u{009b}31m\\u{202e}evil")"));
}

class RunStops : public ::testing::TestWithParam<int> {};

TEST_P(RunStops, CleanlyOnTheSignal) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  Daemon daemon{site.configure({site.probe("good")})};
  ASSERT_TRUE(daemon.reaches(runs_of("good"), 1)) << daemon.log();
  daemon.process().signal(GetParam());
  EXPECT_EQ(daemon.process().exit_code(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("msg=stopped clean=true"));
}

TEST_P(RunStops, WhileAServerKeepsAProbeWaiting) {
  Site const site;
  site.publish("silent", tuf::a_repository(now()));
  support::HostileServer server;
  server.on_any(support::raw_then_silence("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"));
  Daemon daemon{site.configure({site.probe_at("silent", server.url("/metadata"))})};
  ASSERT_TRUE(server.wait_for_requests(1)) << daemon.log();
  daemon.process().signal(GetParam());
  EXPECT_EQ(daemon.process().exit_code(), 0);
  EXPECT_THAT(daemon.log(), HasSubstr("msg=stopped clean=true"));
}

INSTANTIATE_TEST_SUITE_P(EachSignal, RunStops, ::testing::Values(SIGTERM, SIGINT),
                         [](auto const& each) { return each.param == SIGTERM ? "Term" : "Int"; });

TEST(Run, SaysWhichAddressIsTaken) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  support::HostileServer const taken;
  std::string const address = "127.0.0.1:" + std::to_string(taken.port());
  auto const ran = canaryd(
      {"run", "--config", site.configure({site.probe("good")}), "--web.listen-address", address});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, HasSubstr("cannot listen on " + address + ": Address already in use"));
  EXPECT_THAT(ran.err, Not(HasSubstr("msg=monitoring")));
}

TEST(Run, ConcludesNothingWhereItWasStoppedWhileABodyArrived) {
  Site const site;
  site.publish("half", tuf::a_repository(now()));
  support::HostileServer server;
  server.on_any(support::raw_then_silence("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"));
  std::string const timeout = "    timeout: 2s\n";
  Daemon daemon{site.configure({site.probe_at("half", server.url("/metadata"), timeout)})};
  ASSERT_TRUE(server.wait_for_requests(1)) << daemon.log();
  daemon.process().signal(SIGSTOP);
  std::this_thread::sleep_for(
      std::chrono::seconds{3});  // beyond the run's timeout: nothing tells the time but time
  daemon.process().signal(SIGCONT);
  EXPECT_TRUE(daemon.process().says("a run says nothing of its repository")) << daemon.log();
  std::string const skipped =
      R"(canaryd_probe_runs_skipped_total{probe="half",reason="disturbed"})";
  EXPECT_TRUE(daemon.reaches(skipped, 1)) << daemon.log();
  std::string const log = daemon.log();
  EXPECT_EQ(log.substr(0, log.find("a run says nothing")).find("changed state"), std::string::npos)
      << log;
}

TEST(Run, LogsEachChangeOfStateOnce) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  Daemon daemon{site.configure({site.probe("good")})};
  ASSERT_TRUE(daemon.reaches(runs_of("good"), 3)) << daemon.log();
  EXPECT_EQ(count(daemon.log(), "probe changed state"), 1U) << daemon.log();
  std::filesystem::remove(site.path() / "good/metadata/timestamp.json");
  ASSERT_TRUE(daemon.process().says("from=ok to=critical")) << daemon.log();
  double const runs = daemon.metric(runs_of("good")).value_or(0);
  ASSERT_TRUE(daemon.reaches(runs_of("good"), runs + 2));
  EXPECT_EQ(count(daemon.log(), "probe changed state"), 2U) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("reason=metadata_missing"));
}

TEST(Run, WritesJsonLinesThatParse) {
  Site const site;
  auto expired = tuf::a_repository(now());
  expired.timestamp.expires = now() - std::chrono::hours{1};
  site.publish("late", expired);
  Daemon daemon{site.configure({site.probe("late")}), {"--log.format", "json"}};
  ASSERT_TRUE(daemon.process().says("probe changed state"));
  ASSERT_EQ(daemon.stop(), 0);
  std::istringstream lines{daemon.log()};
  bool changed = false;
  for (std::string line; std::getline(lines, line);) {
    boost::system::error_code failed;
    auto const parsed = boost::json::parse(line, failed);
    ASSERT_FALSE(failed) << line;
    auto const& fields = parsed.as_object();
    EXPECT_TRUE(fields.contains("ts") && fields.contains("level")) << line;
    if (fields.at("msg").as_string() != "probe changed state") continue;
    changed = true;
    EXPECT_EQ(fields.at("probe").as_string(), "late");
    EXPECT_EQ(fields.at("to").as_string(), "critical");
    EXPECT_EQ(fields.at("reason").as_string(), "expired");
  }
  EXPECT_TRUE(changed);
}

TEST(Run, LeaksNoDescriptorsOverManyRuns) {
  Site const site;
  auto const repository = tuf::a_repository(now());
  auto const published = tuf::publish(repository);
  support::HostileServer server;
  for (auto const& [name, bytes] : published.metadata) {
    server.on("/metadata/" + name, support::respond(bytes));
  }
  std::vector<std::string> probes;
  for (int i = 0; i < 6; ++i) {
    std::string const name = "probe" + std::to_string(i);
    site.publish(name, repository);
    probes.push_back(i % 2 == 0 ? site.probe(name) : site.probe_at(name, server.url("/metadata")));
  }
  Daemon daemon{site.configure(probes)};
  auto const all_reach = [&](double runs) {
    bool all = true;
    for (int i = 0; i < 6; ++i) all &= daemon.reaches(runs_of("probe" + std::to_string(i)), runs);
    return all;
  };
  ASSERT_TRUE(all_reach(2)) << daemon.log();
  std::size_t idle = daemon.process().descriptors();
  support::eventually([&] {  // the fewest in a while: what is open between runs
    idle = std::min(idle, daemon.process().descriptors());
    return daemon.metric(runs_of("probe0")).value_or(0) >= 5;
  });
  ASSERT_TRUE(all_reach(12)) << daemon.log();
  EXPECT_TRUE(support::eventually([&] { return daemon.process().descriptors() <= idle; }))
      << "between runs " << idle << " descriptors were open, later never fewer than that";
  EXPECT_EQ(daemon.metric("canaryd_probe_success{probe=\"probe1\"}"), 1) << daemon.log();
}

}  // namespace
}  // namespace canary::e2e

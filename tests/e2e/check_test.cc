// SPDX-License-Identifier: Apache-2.0
// `canaryd check` as a program: what it prints and what it returns.
// Thread: main.
#include <csignal>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>

#include "config/duration.h"
#include "tests/e2e/site.h"
#include "tests/support/hostile_server.h"

namespace canary::e2e {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// canaryd check on a published repository.
support::Ran check(Site const& site, std::string const& name,
                   std::vector<std::string> const& more = {}) {
  std::vector<std::string> arguments{"check", "--root", site.pinned_root(name), "--metadata-url",
                                     site.metadata_url(name)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return canaryd(arguments);
}

tuf::Repository expired_repository() {
  auto repository = tuf::a_repository(now());
  repository.timestamp.expires = now() - std::chrono::hours{1};
  return repository;
}

// The path in the folder `targets` of the first target, as a server would have it.
std::filesystem::path first_target(Site const& site, std::string const& name) {
  for (auto const& entry :
       std::filesystem::recursive_directory_iterator(site.path() / name / "targets")) {
    if (entry.is_regular_file()) return entry.path();
  }
  return {};
}

TEST(Check, OfAHealthyRepositoryIs0) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  auto const ran = check(site, "good", {"--targets", "all"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, StartsWith("HEALTHY  file://"));
  EXPECT_THAT(ran.out, HasSubstr("targets: 2 verified, 0 bad, 0 could not be checked"));
  EXPECT_EQ(ran.err, "");
}

TEST(Check, CountsWhatItReadsFromFiles) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  auto const ran = check(site, "good");
  EXPECT_THAT(ran.out, ContainsRegex("  [1-9][0-9]* requests, [1-9][0-9.]* K?i?B received"));
}

// As if everything had been signed so long ago.
void make_older(Site const& site, std::string const& name, std::chrono::hours by) {
  for (auto const& entry : std::filesystem::recursive_directory_iterator(site.path() / name)) {
    if (entry.is_directory()) continue;
    std::filesystem::last_write_time(entry.path(), entry.last_write_time() - by);
  }
}

TEST(Check, OfAnExpiryThatIsNearIs1) {
  Site const site;
  auto repository = tuf::a_repository(now());
  repository.timestamp.expires = now() + std::chrono::hours{30};
  site.publish("near", repository);
  make_older(site, "near", std::chrono::days{30});
  EXPECT_EQ(check(site, "near").code, 1);
  EXPECT_EQ(check(site, "near", {"--expiring-within", "1d"}).code, 0);
}

// Expires tomorrow because it was signed for a day, and has a day to go.
TEST(Check, OfARepositoryThatWasSignedThisSecondForADayIs0) {
  Site const site;
  auto repository = tuf::a_repository(now());
  repository.timestamp.expires = repository.snapshot.expires = now() + std::chrono::days{1};
  site.publish("fresh", repository);
  auto const ran = check(site, "fresh");
  EXPECT_EQ(ran.code, 0) << ran.out;
  auto const with_config =
      canaryd({"check", "--config", site.configure({site.probe("fresh")}), "fresh"});
  EXPECT_EQ(with_config.code, 0) << with_config.out;
  EXPECT_EQ(check(site, "fresh", {"--at", config::to_text(now() + std::chrono::hours{17})}).code,
            1);
}

// The same thresholds, whether from a configuration that sets none or from no configuration.
TEST(Check, HasTheDefaultsOfAConfiguration) {
  Site const site;
  auto repository = tuf::a_repository(now());
  repository.timestamp.expires = now() + std::chrono::days{3};
  repository.targets.expires = now() + std::chrono::days{10};
  site.publish("near", repository);
  make_older(site, "near", std::chrono::days{300});
  auto const without = check(site, "near", {"-q"});
  auto const with =
      canaryd({"check", "--config", site.configure({site.probe("near")}), "near", "-q"});
  EXPECT_EQ(without.code, 1);
  EXPECT_EQ(with.code, 1);
  for (auto const& ran : {without, with}) {
    EXPECT_THAT(ran.out, ContainsRegex("WARNING +expiry +targets"));
    EXPECT_THAT(ran.out, Not(HasSubstr("timestamp")));
  }
}

TEST(Check, OfAnExpiredRoleIs2) {
  Site const site;
  site.publish("late", expired_repository());
  auto const ran = check(site, "late");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, ContainsRegex("CRITICAL  expiry +timestamp +expired "));
}

TEST(Check, JudgesAsOfTheTimeItIsTold) {
  Site const site;
  site.publish("late", expired_repository());
  auto const before = config::to_text(now() - std::chrono::days{10});
  EXPECT_EQ(check(site, "late", {"--at", before}).code, 0);
  site.publish("good", tuf::a_repository(now()));
  EXPECT_EQ(check(site, "good", {"--at", "2126-01-01"}).code, 2);
}

TEST(Check, OfARepositoryThatDoesNotAnswerIs3) {
  Site const site;
  site.publish("away", tuf::a_repository(now()));
  std::string url;
  {
    support::HostileServer const gone;
    url = gone.url("/metadata");
  }
  auto const ran = canaryd({"check", "--root", site.pinned_root("away"), "--metadata-url", url});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.out, ContainsRegex("UNKNOWN   reachable +http.*Connection refused"));
}

TEST(Check, SaysTheSameThingOnce) {
  Site const site;
  site.publish("bad", tuf::a_repository(now()));
  auto const target = first_target(site, "bad");
  tuf::write_folder(target.parent_path(),
                    {{target.filename().string(), std::string(file_size(target), 'X')}});
  auto const ran = check(site, "bad", {"--targets", "all"});
  EXPECT_EQ(ran.code, 2);
  auto const listed = ran.out.find("CRITICAL  targets");
  ASSERT_NE(listed, std::string::npos) << ran.out;
  std::string const line = ran.out.substr(listed, ran.out.find('\n', listed) - listed);
  EXPECT_EQ(count(line, "listed is"), 1U) << line;
  EXPECT_THAT(line, HasSubstr("[tuf 5.7.3 target_"));
}

TEST(Check, ReportsEveryTargetThatIsWrong) {
  Site const site;
  site.publish("bad", tuf::a_repository(now()));
  std::filesystem::remove_all(site.path() / "bad/targets");
  auto const ran = check(site, "bad", {"--targets", "all"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.out, HasSubstr("targets: 0 verified, 2 bad, 0 could not be checked"));
}

TEST(Check, DownloadsOnlyTheTargetsThatAreNamed) {
  Site const site;
  auto repository = tuf::a_repository(now());
  repository.targets.files = {{"one", "1"}, {"two", "2"}, {"three", "3"}};
  site.publish("good", repository);
  auto const ran = check(site, "good", {"--targets", "one", "two"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("targets: 2 verified"));
  auto const unlisted = check(site, "good", {"--targets", "four"});
  EXPECT_EQ(unlisted.code, 2) << unlisted.out;
  EXPECT_THAT(unlisted.out, HasSubstr("four"));
}

TEST(Check, ShowsWhatIsAcceptedAndLeavesItOutOfTheExitStatus) {
  Site const site;
  site.publish("late", expired_repository());
  std::string const config = site.configure({site.probe(
      "late",
      "    accept:\n"
      "      - {finding: expiry/timestamp/expired, because: being retired, until: 2999-01-01,\n"
      "         severity: critical}\n")});
  auto const ran = canaryd({"check", "--config", config, "-q"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, StartsWith("HEALTHY  late\n"));
  EXPECT_THAT(ran.out,
              ContainsRegex("accepted +expiry +timestamp +expired .*; a CRITICAL, accepted until "
                            "2999-01-01T00:00:00Z: being retired\n"));
}

TEST(Check, PutsBadOverCouldNotTell) {
  Site const site;
  site.publish("late", expired_repository());
  site.publish("away", tuf::a_repository(now()));
  std::string url;
  {
    support::HostileServer const gone;
    url = gone.url("/metadata");
  }
  std::string const config = site.configure({site.probe("late"), site.probe_at("away", url)});
  EXPECT_EQ(canaryd({"check", "--config", config, "away"}).code, 3);
  EXPECT_EQ(canaryd({"check", "--config", config}).code, 2);
}

TEST(Check, RunsTheProbesItIsTold) {
  Site const site;
  for (std::string const name : {"a", "b", "off"}) site.publish(name, tuf::a_repository(now()));
  std::string const config =
      site.configure({site.probe("a"), site.probe("b"), site.probe("off", "    enabled: false\n")});
  auto const all = canaryd({"check", "--config", config});
  EXPECT_EQ(all.code, 0) << all.out << all.err;
  EXPECT_EQ(count(all.out, "HEALTHY"), 2U) << all.out;
  auto const one = canaryd({"check", "--config", config, "off"});
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(one.out, StartsWith("HEALTHY  off\n"));
  auto const none = canaryd({"check", "--config", config, "c"});
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.err, HasSubstr("has no probe called \"c\""));
}

TEST(Check, WritesJsonThatNamesTheFindings) {
  Site const site;
  site.publish("late", expired_repository());
  auto const ran = check(site, "late", {"--output", "json"});
  EXPECT_EQ(ran.code, 2);
  auto const report = boost::json::parse(ran.out);
  EXPECT_EQ(report.at("severity").as_string(), "critical");
  EXPECT_EQ(report.at("exit_code").as_int64(), 2);
  auto const& probe = report.at("probes").at(0);
  EXPECT_TRUE(probe.at("complete").as_bool());
  EXPECT_GT(probe.at("measurements").at("requests").to_number<int>(), 0);
  std::vector<std::string> bad;
  for (auto const& finding : probe.at("findings").as_array()) {
    if (finding.at("severity").as_string() == "ok") continue;
    bad.push_back(std::string{finding.at("check").as_string()} + " " +
                  std::string{finding.at("subject").as_string()} + " " +
                  std::string{finding.at("reason").as_string()});
  }
  EXPECT_THAT(bad, ::testing::ElementsAre("expiry timestamp expired"));
}

TEST(Check, OfARootAloneFetchesNothing) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  std::filesystem::remove_all(site.path() / "good");
  auto const good = canaryd({"check", "--root", site.pinned_root("good")});
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  auto const late = canaryd({"check", "--root", site.pinned_root("good"), "--at", "2126-01-01"});
  EXPECT_EQ(late.code, 2);
  EXPECT_THAT(late.out, ContainsRegex("CRITICAL  expiry +root"));
  auto const garbage = canaryd({"check", "--root", site.write("garbage.json", "<html>")});
  EXPECT_EQ(garbage.code, 2) << garbage.out << garbage.err;
}

TEST(Check, OfAKindTakesThatKindsFlags) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  auto const ran = canaryd({"check", "tuf", "--root", site.pinned_root("good"), "--metadata-url",
                            site.metadata_url("good"), "--targets", "all", "--expiry.root.warning",
                            "0s", "--expiry.root.critical", "0s", "--output", "json"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  auto const report = boost::json::parse(ran.out);
  auto const& probe = report.at("probes").at(0);
  EXPECT_EQ(probe.at("kind").as_string(), "tuf");
  auto const& measured = probe.at("measurements");
  EXPECT_EQ(measured.at("targets").at("verified").to_number<int>(), 2);
  auto const& root = measured.at("roles").at(0);
  EXPECT_EQ(root.at("role").as_string(), "root");
  EXPECT_EQ(root.at("version").to_number<int>(), 1);
  EXPECT_GT(root.at("size_bytes").to_number<int>(), 0);
  EXPECT_EQ(root.at("warning_seconds").to_number<int>(), 0);
}

TEST(Check, SendsTheHeadersOfItsFlags) {
  Site const site;
  site.publish("good", tuf::a_repository(now()));
  support::HostileServer server;
  canaryd({"check", "--root", site.pinned_root("good"), "--metadata-url", server.url("/m")});
  canaryd({"check", "tuf", "--root", site.pinned_root("good"), "--metadata-url", server.url("/m"),
           "--header", "X-One: 1", "--header", "Authorization: @" + site.write("token", "secret")});
  auto const requests = server.requests();
  ASSERT_FALSE(requests.empty());
  EXPECT_FALSE(requests.front().headers.contains("x-one"));
  EXPECT_EQ(requests.back().headers.at("x-one"), "1");
  EXPECT_EQ(requests.back().headers.at("authorization"), "secret");
}

TEST(Check, TakesAProbeThatIsCalledAsAKindIs) {
  Site const site;
  site.publish("tuf", tuf::a_repository(now()));
  auto const ran = canaryd({"check", "--config", site.configure({site.probe("tuf")}), "tuf"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, StartsWith("HEALTHY  tuf\n"));
}

struct Misuse {
  char const* name;
  std::vector<std::string> arguments;
  char const* says;
};

class CheckRefuses : public ::testing::TestWithParam<Misuse> {};

TEST_P(CheckRefuses, WithExitCode3AndAReason) {
  std::vector<std::string> arguments{"check"};
  auto const& given = GetParam().arguments;
  arguments.insert(arguments.end(), given.begin(), given.end());
  auto const ran = canaryd(arguments);
  EXPECT_EQ(ran.code, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(GetParam().says));
}

std::vector<Misuse> misuses() {
  std::string const root = "/dev/null";
  return {
      {"Nothing", {}, "--root FILE"},
      {"AnUnknownOption", {"--rot", "x"}, "--rot"},
      {"AUrlWithoutARoot", {"--metadata-url", "http://a"}, "--root"},
      {"AKindWithNothingToCheck", {"tuf"}, "--metadata-url: is missing"},
      {"ASecretOnTheCommandLine",
       {"tuf", "--root", root, "--metadata-url", "http://a", "--header", "Authorization: x"},
       "--header: a secret is refused"},
      {"AUrlOfAnotherScheme", {"--root", root, "--metadata-url", "ftp://a"}, "--metadata-url: "},
      {"ATimeThatIsNone", {"--root", root, "--at", "yesterday"}, "--at: "},
      {"ADurationWithoutAUnit",
       {"--root", root, "--metadata-url", "http://a", "--expiring-within", "7"},
       "--expiring-within: "},
      {"ARootThatIsNotThere", {"--root", "/nowhere/root.json"}, "/nowhere/root.json"},
      {"AConfigurationThatIsNotThere", {"--config", "/nowhere/c.yml"}, "/nowhere/c.yml"},
      {"ARootBesideAConfiguration", {"--config", "/nowhere/c.yml", "--root", root}, "--root"},
      {"AFlagOfAnotherKind",
       {"tls", "localhost:1", "--root", root},
       "--root: check tls has no such flag"},
      {"AFlagOfAnotherKindBeforeIt",
       {"--targets", "all", "--timeout", "1s", "tcp", "localhost:1"},
       "no such flag"},
      {"AnEndOfWhatHasNone",
       {"tcp", "localhost:1", "--expiring-within", "1d"},
       "--expiring-within: nothing ends"},
      {"AnotherOutput", {"--root", root, "--output", "xml"}, "--output"},
  };
}

INSTANTIATE_TEST_SUITE_P(Misuse, CheckRefuses, ::testing::ValuesIn(misuses()),
                         [](auto const& each) { return each.param.name; });

TEST(Check, OfABadConfigurationIs3AndNamesThePlace) {
  Site const site;
  std::string const file = site.write("canaryd.yml", "probes:\n  - name: a\n    tuff: {}\n");
  auto const ran = canaryd({"check", "--config", file});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr(file + ":3:5: probes[0].tuff: "));
}

// A repository whose only target comes a byte at a time.
class CheckInterrupted : public ::testing::Test {
 protected:
  void serve(tuf::Repository repository) {
    repository.targets.files = {{"slow", std::string(100'000, 's')}};
    site_.publish("slow", repository);
    auto const folder = site_.path() / "slow";
    for (auto const& [name, bytes] : tuf::read_folder(folder / "metadata")) {
      server_.on("/metadata/" + name, support::respond(bytes));
    }
    for (auto const& [name, bytes] : tuf::read_folder(folder / "targets")) {
      server_.on("/targets/" + name,
                 support::trickle("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", bytes,
                                  std::chrono::milliseconds{50}));
    }
  }
  // Interrupts a check in the middle of the download.
  support::Ran interrupted(std::vector<std::string> const& more = {}) {
    auto words = command({"check", "--root", site_.pinned_root("slow"), "--metadata-url",
                          server_.url("/metadata"), "--targets", "all"});
    words.insert(words.end(), more.begin(), more.end());
    support::ChildProcess child{words};
    bool const downloading = support::eventually([this] {
      auto const requests = server_.requests();
      return !requests.empty() && requests.back().target.starts_with("/targets/");
    });
    EXPECT_TRUE(downloading) << child.out() << child.err();
    child.signal(SIGINT);
    auto const code = child.exit_code(std::chrono::seconds{20});
    return {.code = code, .out = child.out(), .err = child.err()};
  }

  Site site_;
  support::HostileServer server_;
};

TEST_F(CheckInterrupted, TellsWhatItKnowsAndThatItIsNotAll) {
  serve(tuf::a_repository(now()));
  auto const ran = interrupted();
  EXPECT_EQ(ran.code, 3) << ran.out << ran.err;
  EXPECT_THAT(ran.out, ContainsRegex("UNKNOWN   run .*interrupted"));
  EXPECT_THAT(ran.out, ContainsRegex("ok +expiry +timestamp"));
}

TEST_F(CheckInterrupted, IsBadWhereSomethingBadIsKnown) {
  serve(expired_repository());
  auto const ran = interrupted({"--output", "json"});
  EXPECT_EQ(ran.code, 2) << ran.out << ran.err;
  auto const report = boost::json::parse(ran.out);
  EXPECT_FALSE(report.at("probes").at(0).at("complete").as_bool());
  EXPECT_THAT(ran.out, HasSubstr(R"("reason":"cancelled")"));
}

}  // namespace
}  // namespace canary::e2e

// SPDX-License-Identifier: Apache-2.0
// One run of the probe: a healthy repository, and one finding for each way to be ill.
#include "probes/tuf/probe.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include <gmock/gmock.h>

#include "probes/tuf/surroundings.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using probes::Severity;
using std::chrono::days;

TEST(Probe, ReportsWhatWasCheckedWhereAllIsWell) {
  ProbeWorld world{publish(a_repository(kNow))};
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "");
  for (std::string_view const check :
       {"reachable", "root_chain", "rollback", "consistency", "targets"}) {
    EXPECT_EQ(findings(report, check).size(), 1U) << check;
  }
  for (std::string_view const role : {"root", "timestamp", "snapshot", "targets"}) {
    EXPECT_EQ(findings(report, "expiry", role).size(), 1U) << role;
    EXPECT_EQ(findings(report, "signatures", role).size(), 1U) << role;
  }
  EXPECT_EQ(report.measurements.things.size(), 4U);
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 2U);
  EXPECT_EQ(report.measurements.requests, 6U);
  EXPECT_GT(report.measurements.bytes_received, 0U);
}

TEST(Probe, FindsEveryExpiredRoleInOneRun) {
  Repository repository = a_repository(kNow);
  repository.targets.delegations = {
      {.name = "old", .signers = {.keys = {SigningKey::ed25519("d")}}, .paths = {"d/*"}},
      {.name = "fresh", .signers = {.keys = {SigningKey::ed25519("d")}}, .paths = {"e/*"}}};
  repository.delegated["old"] = {.version = 1, .expires = kNow - days{3}, .files = {{"d/x", "x"}}};
  repository.delegated["fresh"] = {.version = 1, .expires = kNow + kYear, .files = {}};
  repository.roots[0].expires = kNow - days{1};
  repository.timestamp.expires = kNow - days{2};
  ProbeWorld world{publish(repository)};
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report),
            "critical expiry root (expired)\n"
            "critical expiry timestamp (expired)\n"
            "critical expiry old (expired)\n");
  EXPECT_EQ(findings(report, "expiry", "old")[0].message,
            "expired 2026-05-29T00:00:00Z, 3 days ago");
  EXPECT_EQ(findings(report, "expiry", "root")[0].url, world.server.url("metadata/1.root.json"));
  EXPECT_EQ(findings(report, "expiry", "old")[0].url, world.server.url("metadata/1.old.json"));
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 3U)
      << "it goes on to the last target";
}

TEST(Probe, ShowsNoSecretOfAUrl) {
  ProbeWorld world{publish(a_repository(kNow))};
  world.spec.metadata_url = url_of("http://127.0.0.1:1/metadata?sig=hunter2");
  probes::Report const report = world.run();
  ASSERT_EQ(bad(report),
            "unknown reachable http://127.0.0.1:1/metadata/2.root.json?... (connect)\n");
  for (probes::Finding const& finding : report.findings) {
    for (std::string const& text :
         {finding.subject.text(), finding.message.text(), finding.evidence.text()}) {
      EXPECT_THAT(text, testing::Not(testing::HasSubstr("hunter2")));
    }
  }
}

TEST(Probe, CannotTellWhereOurCredentialsAreRefused) {
  ProbeWorld world{publish(a_repository(kNow))};
  world.server.answer("metadata/2.root.json", 401);
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report),
            "unknown reachable " + world.server.url("metadata/2.root.json") + " (credentials)\n");
  EXPECT_THAT(report.findings.at(0).message, testing::StartsWith("the server answers 401"));
}

TEST(Probe, WarnsOfASecretThatCannotBeReadAgain) {
  ProbeWorld world{publish(a_repository(kNow))};
  auto const gone = world.folder.path() / "token";
  world.http.secret_headers = {{"Authorization", {"Bearer one", gone}}};
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "warning credentials " + gone.string() + " (configuration)\n");
}

TEST(Probe, NamesTheProxyBesideWhateverIsNotOk) {
  Repository repository = a_repository(kNow);
  repository.timestamp.expires = kNow - days{2};
  ProbeWorld world{publish(repository)};
  std::string const proxy = world.server.url("").substr(7);
  world.http.proxy = world.server.url("");
  probes::Report const report = world.run();
  std::string const address = proxy.substr(0, proxy.find('/'));
  for (probes::Finding const& finding : report.findings) {
    bool const named = finding.message.ends_with("(through the proxy " + address + ")");
    EXPECT_EQ(named, finding.severity != Severity::ok) << finding.message.text();
  }
}

// Our clock is at kNow; the server's is 200 days behind it.
class ProbeClock : public testing::Test {
 protected:
  probes::Report run(Time timestamp_expires) {
    Repository repository = a_repository(kNow);
    repository.timestamp.expires = timestamp_expires;
    ProbeWorld world{publish(repository)};
    world.server.send_date("Thu, 13 Nov 2025 00:00:00 GMT");
    world.machine.services.wall_clock = [] { return kNow; };
    if (another_says_so) {
      fetch::ClockDifferences const said{{"other.test", {-days{200}, std::chrono::seconds{1}}}};
      world.machine.services.clocks.add("another", said, runtime::Clock::now());
    }
    return world.run();
  }
  bool another_says_so = false;
};

TEST_F(ProbeClock, IsNamedBesideAnExpiryAndOneServersDateLowersNothing) {
  auto const report = run(kNow - days{100});
  EXPECT_EQ(bad(report), "critical expiry timestamp (expired)\n");
  EXPECT_THAT(findings(report, "expiry", "timestamp").at(0).message,
              testing::EndsWith("; our clock and the Date of 127.0.0.1 differ by 200 days (ours is "
                                "ahead)"));
  EXPECT_THAT(findings(report, "expiry", "root").at(0).message,
              testing::Not(testing::HasSubstr("clock")));
}

TEST_F(ProbeClock, LeavesOpenWhatDependsOnItWhereAnIndependentServerSaysTheSame) {
  another_says_so = true;
  auto const report = run(kNow - days{100});
  EXPECT_EQ(bad(report), "unknown expiry timestamp (clock)\nwarning clock  (clock)\n");
  EXPECT_EQ(report.measurements.things.size(), 4U) << "deadlines stay known";
}

TEST_F(ProbeClock, ThatIsOffHidesNoExpiryThatTheRightOneWouldSeeToo) {
  another_says_so = true;
  EXPECT_EQ(bad(run(kNow - days{300})),
            "critical expiry timestamp (expired)\nwarning clock  (clock)\n");
}

TEST(Surroundings, ACertificateThatEndedByAWrongClockOnlyCannotBeTold) {
  probes::Report report;
  report.measurements.certificates = {kNow - days{100}, kNow - days{114}};
  report.findings.push_back({.check = "reachable",
                             .subject = "https://a/",
                             .severity = Severity::critical,
                             .reason = probes::Reason::tls_expired,
                             .message = "no client can connect",
                             .evidence = ""});
  fetch::ClockVerdict verdict{.by = {-days{50}, std::chrono::seconds{1}}, .witnesses = 2};
  auto longer = report;
  add_clocks(report, {}, verdict, kNow);
  EXPECT_EQ(report.findings[0].severity, Severity::critical);
  verdict.by.theirs_minus_ours = -days{200};
  add_clocks(longer, {}, verdict, kNow);
  EXPECT_EQ(longer.findings[0].severity, Severity::unknown);
  EXPECT_EQ(longer.findings[0].reason, probes::Reason::clock);
}

TEST(Probe, WarnsBeforeARoleExpires) {
  Repository repository = a_repository(kNow);
  repository.timestamp.expires = kNow + std::chrono::hours{30};
  repository.snapshot.expires = kNow + std::chrono::hours{30};
  ProbeWorld world{publish(repository)};
  world.spec.expiry.timestamp = {days{2}, days{1}};
  world.spec.expiry.snapshot = {days{7}, days{2}};
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report),
            "warning expiry timestamp (expiring)\ncritical expiry snapshot (expiring)\n");
}

// What is done to the published files, and the one finding that it gives.
struct Illness {
  std::string name;
  std::function<void(Repository&, Files&)> infect;
  std::string expected;
};

class Ill : public testing::TestWithParam<Illness> {};

TEST_P(Ill, GivesItsOwnFinding) {
  Repository repository = a_repository(kNow);
  add_root(repository);
  Published published = publish(repository);
  ProbeWorld world{published};
  Files files = as_files(published);
  GetParam().infect(repository, files);
  world.server.replace(files);
  EXPECT_EQ(bad(world.run()), GetParam().expected);
}

void flip(std::string& metadata) {
  std::size_t const at = metadata.find("\"sig\"");
  std::size_t const digit = metadata.find('"', at + 5) + 5;
  metadata[digit] = metadata[digit] == '0' ? '1' : '0';
}

INSTANTIATE_TEST_SUITE_P(
    Each, Ill,
    testing::Values(
        Illness{"BadRoot", [](auto&, Files& files) { flip(files["metadata/2.root.json"]); },
                "critical root_chain root (signature)\n"},
        Illness{"PageForARoot", [](auto&, Files& files) { files["metadata/3.root.json"] = "<p>"; },
                "critical root_chain root (parse)\n"},
        Illness{"BadTimestamp", [](auto&, Files& files) { flip(files["metadata/timestamp.json"]); },
                "critical signatures timestamp (signature)\n"},
        Illness{"NoTimestamp", [](auto&, Files& files) { files.erase("metadata/timestamp.json"); },
                "critical metadata timestamp (metadata_missing)\n"},
        Illness{"PageForATimestamp",
                [](auto&, Files& files) { files["metadata/timestamp.json"] = "<html></html>"; },
                "critical metadata timestamp (parse)\n"},
        Illness{"EndlessTimestamp",
                [](auto&, Files& files) {
                  files["metadata/timestamp.json"] = std::string((1 << 20) + 1, ' ');
                },
                "critical metadata timestamp (size_limit)\n"},
        Illness{"NoSnapshot", [](auto&, Files& files) { files.erase("metadata/1.snapshot.json"); },
                "critical metadata snapshot (metadata_missing)\n"},
        Illness{"OtherSnapshot",
                [](auto&, Files& files) { flip(files["metadata/1.snapshot.json"]); },
                "critical consistency snapshot (hash_mismatch)\n"},
        Illness{"OtherTargets", [](auto&, Files& files) { flip(files["metadata/1.targets.json"]); },
                "critical consistency targets (hash_mismatch)\n"},
        Illness{"MixAndMatch",
                [](Repository& repository, Files& files) {
                  repository.list_hashes = repository.list_lengths = false;
                  repository.snapshot.version = 2;
                  Files const other = as_files(publish(repository));
                  repository.snapshot.version = 1;
                  files = as_files(publish(repository));
                  files["metadata/1.snapshot.json"] = other.at("metadata/2.snapshot.json");
                },
                "critical consistency snapshot (freeze)\n"}),
    [](auto const& info) { return info.param.name; });

TEST(Probe, CannotTellOfATimestampThatIsLongerThanOnlyOurOwnLimit) {
  ProbeWorld world{publish(a_repository(kNow))};
  world.spec.limits.timestamp = 20'000;
  world.server.serve("metadata/timestamp.json", std::string(20'001, ' '));
  EXPECT_EQ(bad(world.run()), "unknown metadata timestamp (size_limit)\n");
}

TEST(Probe, CannotTellWhereNobodyAnswers) {
  ProbeWorld world{publish(a_repository(kNow))};
  ClosedPort const closed;
  world.spec.metadata_url = url_of(closed.url());
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "unknown reachable " + closed.url() + "/2.root.json (connect)\n");
  EXPECT_EQ(report.severity(), Severity::unknown);
  EXPECT_GT(report.measurements.retries, 0U);
}

TEST(Probe, CannotTellWhereTheServerSaysNotNow) {
  ProbeWorld world{publish(a_repository(kNow))};
  world.server.answer("metadata/timestamp.json", 503);
  EXPECT_EQ(bad(world.run()), "unknown reachable " + world.server.url("metadata/timestamp.json") +
                                  " (http_status)\n");
}

Published three_roots() {
  Repository repository = a_repository(kNow);
  add_root(repository);
  add_root(repository);
  return publish(repository);
}

// Whatever is wrong in a file, the finding says which file: somebody will fetch it.
TEST(Probe, NamesTheFileThatItRefused) {
  auto const url_of_bad = [](std::string const& path) {
    ProbeWorld world{three_roots()};
    auto files = as_files(three_roots());
    files[path] = "{}";
    world.server.replace(std::move(files));
    for (probes::Finding const& finding : world.run().findings) {
      if (finding.severity != probes::Severity::ok) {
        return std::pair{finding.url.text(), world.server.url(path)};
      }
    }
    return std::pair{std::string{"no finding"}, path};
  };
  for (std::string const path :
       {"metadata/2.root.json", "metadata/3.root.json", "metadata/timestamp.json",
        "metadata/1.snapshot.json", "metadata/1.targets.json"}) {
    auto const [named, refused] = url_of_bad(path);
    EXPECT_EQ(named, refused);
  }
}

void refuse_everything(ProbeWorld& world, Published const& published) {
  for (auto const& [path, content] : as_files(published)) world.server.answer(path, 403);
  world.server.answer("metadata/4.root.json", 403);
}

TEST(Probe, LearnsNothingWhereEverythingIsRefused) {
  Published const published = three_roots();
  ProbeWorld world{published};
  refuse_everything(world, published);
  probes::Report report = world.run();
  std::string const url = world.server.url("metadata/timestamp.json");
  EXPECT_EQ(bad(report), "unknown reachable " + url + " (http_status)\n");
  EXPECT_THAT(findings(report, "reachable")[0].message,
              testing::HasSubstr("refused or missing: the server answers 403"));
  EXPECT_TRUE(findings(report, "root_chain").empty()) << "whether 1 is the newest, nobody knows";

  world.serve(published);
  ASSERT_EQ(bad(world.run()), "");
  refuse_everything(world, published);
  EXPECT_EQ(bad(world.run()), "unknown reachable " + url + " (http_status)\n")
      << "nor that the roots of before are gone";
}

TEST(Probe, TakesARefusalForMissingWhereOtherFilesAreServed) {
  Published const published = three_roots();
  ProbeWorld world{published};
  world.server.answer("metadata/4.root.json", 403);
  EXPECT_EQ(bad(world.run()), "") << "the end of the chain, as storage services say it";
  world.server.answer("metadata/3.root.json", 403);
  EXPECT_EQ(bad(world.run()), "critical root_chain root (metadata_missing)\n")
      << "the one that was seen before";
  world.remember = false;
  world.serve(published);
  world.server.answer("metadata/timestamp.json", 403);
  EXPECT_EQ(bad(world.run()), "critical metadata timestamp (metadata_missing)\n");
}

TEST(Probe, ClaimsNothingOfRootsWhereNoFileWasServed) {
  Published const published = three_roots();
  ProbeWorld world{published};
  world.spec.metadata_url = url_of(world.server.url("elsewhere"));
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "critical metadata timestamp (metadata_missing)\n");
  EXPECT_TRUE(findings(report, "root_chain").empty());
  EXPECT_TRUE(findings(report, "reachable").empty());
}

TEST(Probe, NeverMixesABadTargetWithOneThatItCannotReach) {
  Published const published = publish(a_repository(kNow));
  ProbeWorld world{published};
  auto const first = published.targets.begin();
  world.server.answer("targets/" + first->first, 503);
  world.server.serve("targets/" + std::next(first)->first, "forged");
  probes::Report const report = world.run();
  EXPECT_EQ(report.severity(), Severity::critical);
  EXPECT_EQ(report.measurements.value(kTargetCount, kUnknown), 1U);
  EXPECT_EQ(report.measurements.value(kTargetCount, kFailed), 1U);
}

TEST(Probe, CannotTellWithoutAPinnedRoot) {
  ProbeWorld world{publish(a_repository(kNow))};
  world.spec.root = world.folder.path() / "nowhere.json";
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "unknown root_chain root (configuration)\n");
  EXPECT_THAT(report.findings[0].message, testing::HasSubstr("nowhere.json"));
  EXPECT_TRUE(world.server.take_requests().empty());
}

TEST(Probe, RefusesAPinnedRootThatIsNotSigned) {
  Published published = publish(a_repository(kNow));
  ProbeWorld world{published};
  flip(published.metadata["1.root.json"]);
  write_folder(world.folder.path(), {{"pinned.json", published.root(1)}});
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "critical signatures root (signature)\n");
  EXPECT_TRUE(world.server.take_requests().empty());
}

TEST(Probe, VerifiesEveryDelegatedRole) {
  Repository repository = a_repository(kNow);
  repository.targets.succinct = SuccinctSpec{
      .signers = {.keys = {SigningKey::ed25519("bins")}}, .bit_length = 5, .name_prefix = "bin"};
  Published const published = publish(repository);
  ProbeWorld world{published};
  probes::Report report = world.run();
  EXPECT_EQ(bad(report), "warning metadata targets (parse)\n") << "tough knows no bins";
  EXPECT_EQ(findings(report, "delegations")[0].message, "32 delegated roles verified");
  EXPECT_EQ(findings(report, "expiry").size(), 5U) << "four roles and one for all the others";
  EXPECT_EQ(report.measurements.things.size(), 4U + 32U);
  for (probes::ThingFacts const& thing : report.measurements.things) {
    EXPECT_EQ(thing.below, thing.one_of_many ? "targets" : "") << thing.name.text();
  }
  Files files = as_files(published);
  flip(files["metadata/1.bin-1f.json"]);
  files.erase("metadata/1.bin-03.json");
  world.server.replace(files);
  world.server.answer("metadata/1.bin-07.json", 500);
  report = world.run();
  EXPECT_EQ(bad(report),
            "warning metadata targets (parse)\n"
            "critical metadata bin-03 (metadata_missing)\n"
            "unknown reachable " +
                world.server.url("metadata/1.bin-07.json") +
                " (http_status)\n"
                "critical consistency bin-1f (hash_mismatch)\n");
}

// What is fetched ahead for one delegator may be asked for by another one first.
TEST(Probe, FetchesARoleOnceHoweverManyDelegateToIt) {
  Repository repository = a_repository(kNow);
  Signers const signers{.keys = {SigningKey::ed25519("d")}};
  std::vector<DelegationSpec> shared;
  for (std::string const name : {"a", "b", "c", "d", "e", "f", "g"}) {
    shared.push_back({.name = name, .signers = signers, .paths = {name + "/*"}});
  }
  repository.targets.delegations = shared;
  repository.delegated["a"] = {
      .version = 1, .expires = kNow + kYear, .delegations = {shared.rbegin(), shared.rend() - 1}};
  ProbeWorld world{publish(repository)};
  EXPECT_EQ(bad(world.run()), "");
  std::vector<std::string> const requests = world.server.take_requests();
  for (std::string const name : {"a", "b", "c", "d", "e", "f", "g"}) {
    EXPECT_EQ(std::count(requests.begin(), requests.end(), "metadata/1." + name + ".json"), 1)
        << name;
  }
}

TEST(Probe, EndsWhereDelegationsLeadInCircles) {
  Repository repository = a_repository(kNow);
  Signers const signers{.keys = {SigningKey::ed25519("d")}};
  repository.targets.delegations = {{.name = "a", .signers = signers, .paths = {"*"}}};
  repository.delegated["a"] = {.version = 1,
                               .expires = kNow + kYear,
                               .delegations = {{.name = "b", .signers = signers, .paths = {"*"}}}};
  repository.delegated["b"] = {.version = 1,
                               .expires = kNow + kYear,
                               .delegations = {{.name = "a", .signers = signers, .paths = {"*"}}}};
  ProbeWorld world{publish(repository)};
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "warning delegations a (parse)\n");
  EXPECT_EQ(findings(report, "delegations", "a")[0].evidence, "b delegates to a");
}

TEST(Probe, StopsAtItsLimitOfDelegationsAndSaysSo) {
  Repository repository = a_repository(kNow);
  repository.targets.succinct = SuccinctSpec{
      .signers = {.keys = {SigningKey::ed25519("bins")}}, .bit_length = 5, .name_prefix = "bin"};
  ProbeWorld world{publish(repository)};
  world.spec.limits.delegated_roles = 10;
  EXPECT_EQ(bad(world.run()),
            "warning metadata targets (parse)\nunknown delegations targets (size_limit)\n");
}

TEST(Probe, TellsOfManyRolesThatAreMissingAsOne) {
  Repository repository = a_repository(kNow);
  repository.targets.succinct = SuccinctSpec{{{SigningKey::ed25519("bins")}}, 5, "bin"};
  Published published = publish(repository);
  for (auto const& [name, content] : publish(repository).metadata) {
    if (name.find("bin-") != std::string::npos) published.metadata.erase(name);
  }
  ProbeWorld world{published};
  probes::Report const report = world.run();
  ASSERT_EQ(findings(report, "metadata").size(), 2U) << "and that tough knows no bins";
  auto const missing = findings(report, "metadata", "bin-00, bin-01, bin-02 and 29 more");
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_THAT(missing[0].message, testing::HasSubstr("(32 alike)"));
}

TEST(Probe, KeepsWhatItFoundWhenItIsCutShort) {
  Repository repository = a_repository(kNow);
  repository.timestamp.expires = kNow - days{1};
  ProbeWorld world{publish(repository)};
  // The server takes the connection for a target and never answers.
  runtime::Deadline const deadline = runtime::Deadline::after(std::chrono::milliseconds{300});
  world.server.hang("targets/");
  probes::Report report;
  config::ProbeSpec whole{.name = {"p"}, .repository = "p", .http = world.http, .kind = world.spec};
  probes::ProbeContext context{.http = world.machine.services,
                               .cpu = world.machine.cpu,
                               .disk = world.machine.disk,
                               .state_directory = "",
                               .now = kNow,
                               .deadline = runtime::Deadline::never(),
                               .trace = {},
                               .report = report,
                               .progress = world.progress};
  auto run = probes::run_probe(std::move(whole), context);
  EXPECT_THROW(runtime::block_on(world.machine.loop.loop(), std::move(run), deadline),
               runtime::DeadlinePassed);
  EXPECT_THAT(bad(report), testing::HasSubstr("critical expiry timestamp (expired)"));
  EXPECT_GT(report.measurements.requests, 0U) << "the totals are kept as well";
  EXPECT_EQ(report.stood_at(), "; it was at downloading targets, 0 targets done (" +
                                   world.server.url("targets") + ")");
}

}  // namespace
}  // namespace canary::tuf

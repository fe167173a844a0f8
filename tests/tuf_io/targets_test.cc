// SPDX-License-Identifier: Apache-2.0
// Where targets are looked for, and which of them are looked at.
#include "probes/tuf/targets.h"

#include <gmock/gmock.h>

#include "probes/tuf/findings.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using probes::Severity;

std::vector<std::string> texts(std::vector<TargetPlace> const& places) {
  std::vector<std::string> urls;
  for (TargetPlace const& place : places) urls.push_back(place.url.unredacted());
  return urls;
}

TEST(TargetPlaces, AreTheSpecificationsFirst) {
  TargetFile const file{.hashes = {.sha256 = "aa", .sha512 = "bb"}};
  config::Url const base = url_of("https://h/t/");
  EXPECT_EQ(texts(target_places(base, "f", file, true)),
            (std::vector<std::string>{"https://h/t/aa.f", "https://h/t/bb.f"}));
  EXPECT_EQ(
      texts(target_places(base, "d/f", file, true)),
      (std::vector<std::string>{"https://h/t/d/aa.f", "https://h/t/d/bb.f", "https://h/t/aa.d/f"}));
  auto const other = json::Document::parse(R"({"blake2b-256":"cc","md5":"dd"})", "x", {}).value();
  EXPECT_EQ(texts(target_places(base, "d/f", {.hashes = {.all = &other->root()}}, true)),
            (std::vector<std::string>{"https://h/t/d/cc.f", "https://h/t/d/dd.f"}));
  auto const listed = json::Document::parse(R"({"sha256":"aa","md5":"dd","sha512":"bb"})", "x", {});
  TargetFile const both{.hashes = {.all = &listed.value()->root(), .sha256 = "aa", .sha512 = "bb"}};
  EXPECT_EQ(texts(target_places(base, "f", both, true)),
            (std::vector<std::string>{"https://h/t/aa.f", "https://h/t/bb.f", "https://h/t/dd.f"}))
      << "each once";
  EXPECT_EQ(texts(target_places(base, "d/f", file, false)),
            (std::vector<std::string>{"https://h/t/d/f"}));
}

std::vector<std::string> places(std::string const& base, std::string_view path) {
  return texts(target_places(url_of(base), path, {}, false));
}

TEST(TargetPlaces, AreWhatClientsAskFor) {
  using testing::ElementsAre;
  EXPECT_THAT(places("https://h/t", "Foo%20Bar.exe"), ElementsAre("https://h/t/Foo%20Bar.exe"));
  EXPECT_THAT(places("https://h/t", "a+b:c@d[e]"), ElementsAre("https://h/t/a+b:c@d[e]"));
  EXPECT_THAT(places("https://h/t", "a b\xC3\xBC"), ElementsAre("https://h/t/a%20b%C3%BC"));
  EXPECT_THAT(places("https://h/t", "100%"), ElementsAre("https://h/t/100%25"));
  EXPECT_THAT(places("https://h/t", "a?b#c"), ElementsAre("https://h/t/a?b"));
  EXPECT_THAT(places("https://h/t/", "/a//b"), ElementsAre("https://h/t//a//b"));
  EXPECT_THAT(places("https://h/r/t", "x/../../y"), ElementsAre("https://h/r/y"));
  EXPECT_THAT(places("https://h/t?key=v", "a b"), ElementsAre("https://h/t/a%20b?key=v"));
}

TEST(TargetPlaces, OnDiskAreTheNameItselfOrWhatAServerWouldDecodeItTo) {
  auto const paths = [](std::string_view name) {
    std::vector<std::string> result;
    for (auto const& place : target_places(url_of("file:///srv/t"), name, {}, false)) {
      result.push_back(place.url.path());
    }
    return result;
  };
  using testing::ElementsAre;
  EXPECT_THAT(paths("a b?c#d"), ElementsAre("/srv/t/a b?c#d"));
  EXPECT_THAT(paths("Foo%20Bar.exe"), ElementsAre("/srv/t/Foo%20Bar.exe", "/srv/t/Foo Bar.exe"));
  EXPECT_THAT(paths("100%"), ElementsAre("/srv/t/100%"));
  EXPECT_THAT(paths("../../etc/passwd"), ElementsAre("/srv/t/etc/passwd"));
  EXPECT_THAT(paths("%2e%2e/x"), ElementsAre("/srv/t/%2e%2e/x", "/srv/t/x"));
  EXPECT_THAT(paths("a%00b"), ElementsAre("/srv/t/a%00b"));
}

TEST(DefaultTargetsUrl, StandsBesideTheMetadata) {
  auto const text = [](std::string const& metadata) {
    return default_targets_url(url_of(metadata)).unredacted();
  };
  EXPECT_EQ(text("https://h/repo/metadata"), "https://h/repo/targets");
  EXPECT_EQ(text("https://h/repo/metadata/"), "https://h/repo/targets");
  EXPECT_EQ(text("https://h/metadata"), "https://h/targets");
  EXPECT_EQ(text("https://h"), "https://h/targets");
  EXPECT_EQ(text("https://h/"), "https://h/targets");
  EXPECT_EQ(text("https://h/m?key=a/b"), "https://h/targets?key=a/b");
  EXPECT_EQ(text("file:///srv/m"), "file:///srv/targets");
}

// Two roles and a path that both list, one that no delegation leads to, one that is shadowed.
Repository delegating() {
  Repository repository = a_repository(kNow);
  repository.targets.files = {{"top", "top"}};
  Signers const signers{.keys = {SigningKey::ed25519("a")}};
  repository.targets.delegations = {
      {.name = "first", .signers = signers, .paths = {"x/*"}},
      {.name = "second", .signers = signers, .paths = {"x/*", "y/*"}}};
  repository.delegated["first"] = {
      .version = 1, .expires = kNow + kYear, .files = {{"x/a", "1"}, {"z/lost", "?"}}};
  repository.delegated["second"] = {
      .version = 1, .expires = kNow + kYear, .files = {{"x/a", "2"}, {"y/b", "3"}}};
  return repository;
}

TEST(TargetPlan, HasEachTargetOnceAsAClientWouldFindIt) {
  Published const published = publish(delegating());
  auto trusted = refresh(published.metadata);
  CANARY_ASSERT_OK(trusted);
  DelegationWalk walk{trusted.value(), 100};
  ASSERT_TRUE(audit(trusted.value(), published.metadata, walk).empty());
  TargetPlan plan{std::make_shared<TrustedMetadata>(std::move(trusted).value()),
                  {"targets", "first", "second"}};
  std::vector<std::string> planned;
  while (!plan.done()) {
    for (PlannedTarget const& target : plan.next()) {
      planned.push_back(std::string(target.role) + ":" + std::string(target.path));
    }
  }
  EXPECT_EQ(planned, (std::vector<std::string>{"targets:top", "first:x/a", "second:y/b"}));
  EXPECT_EQ(plan.entries(), 5U);
  EXPECT_EQ(plan.shadowed(), 1U);
  EXPECT_EQ(plan.unreachable(), 1U);
  EXPECT_EQ(plan.first_unreachable(), "z/lost");
}

class ProbedTargets : public testing::Test {
 protected:
  std::string url_path(Published const& published, std::string const& path) const {
    for (auto const& [name, content] : published.targets) {
      if (name.ends_with(path)) return "targets/" + name;
    }
    return "no such target";
  }
};

// One target, listed as `name`, in a repository without consistent snapshots.
Repository listing(std::string const& name) {
  Repository repository = a_repository(kNow);
  repository.roots[0].consistent_snapshot = false;
  repository.targets.files = {{name, "content"}};
  return repository;
}

TEST_F(ProbedTargets, EscapesAndPlusesAreAskedForAsTheyStand) {
  for (std::string const name : {"Foo%20Bar.exe", "libgit2-0.12.25+1.3.0.crate", "d/a,b;c=d@e!f"}) {
    ProbeWorld world{publish(listing(name))};
    EXPECT_EQ(bad(world.run()), "") << name;
    EXPECT_THAT(world.server.take_requests(), testing::Contains("targets/" + name));
  }
}

TEST_F(ProbedTargets, ANameThatClientsAskForDifferentlyIsAWarningThatSaysHow) {
  ProbeWorld world{publish(listing("a\\b"))};
  auto const found = findings(world.run(), kTargets, "a\\b");
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].severity, Severity::warning);
  EXPECT_EQ(found[0].message,
            "clients do not agree on the file of this name: python-tuf and go-tuf ask for "
            "/targets/a%5Cb, tough and tuf-js ask for /targets/a/b");
  EXPECT_EQ(found[0].evidence, "asked for as /targets/a%5Cb");
}

TEST_F(ProbedTargets, NamesThatClientsDisagreeOnAreGrouped) {
  Repository repository = listing("a");
  for (int i = 0; i < 25; ++i) repository.targets.files["x\\" + std::to_string(100 + i)] = "y";
  ProbeWorld world{publish(repository)};
  auto const found = findings(world.run(), kTargets);
  EXPECT_EQ(std::ranges::count(found, Severity::warning, &probes::Finding::severity), 21);
  auto const summary = findings(world.run(), kTargets, "");
  ASSERT_FALSE(summary.empty());
  EXPECT_EQ(summary[0].message,
            "clients do not agree on the files of 5 further targets, because of their names");
}

TEST_F(ProbedTargets, ARoleThatClientsAskForDifferentlyIsAWarning) {
  Repository repository = a_repository(kNow);
  Signers const signers{.keys = {SigningKey::ed25519("a")}};
  repository.targets.delegations = {{.name = "a+b", .signers = signers, .paths = {"x/*"}}};
  repository.delegated["a+b"] = {.version = 1, .expires = kNow + kYear, .files = {{"x/a", "1"}}};
  ProbeWorld world{publish(repository)};
  auto const found = findings(world.run(), kDelegations, "a+b");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message,
            "clients do not agree on the file of this name: python-tuf, tough and tuf-js ask for "
            "/metadata/a%2Bb.json, go-tuf asks for /metadata/a+b.json");
}

TEST_F(ProbedTargets, EveryFailureIsReportedAndNotTheFirstOnly) {
  Repository repository = a_repository(kNow);
  repository.targets.files.clear();
  for (int i = 0; i < 20; ++i) {
    repository.targets.files["f" + std::to_string(100 + i)] = "content " + std::to_string(i);
  }
  Published const published = publish(repository);
  ProbeWorld world{published};
  world.server.answer(url_path(published, ".f101"), 404);
  world.server.answer(url_path(published, ".f102"), 403);
  world.server.answer(url_path(published, ".f103"), 500);
  world.server.serve(url_path(published, ".f104"), "CONTENT 4");
  world.server.serve(url_path(published, ".f105"), "content 5 and more");
  world.server.serve(url_path(published, ".f106"), "");
  world.server.answer(url_path(published, ".f107"), 401);
  probes::Report const report = world.run();
  EXPECT_EQ(findings(report, "targets").size(), 7U);
  auto const verdict = [&](std::string_view path) {
    auto const found = findings(report, "targets", path);
    return found.size() != 1 ? "none"
                             : std::string(to_text(found[0].severity)) + " " +
                                   std::string(to_text(found[0].reason));
  };
  EXPECT_EQ(verdict("f101"), "critical target_missing");
  EXPECT_EQ(verdict("f102"), "critical target_missing");
  EXPECT_EQ(verdict("f103"), "unknown http_status");
  EXPECT_EQ(verdict("f104"), "critical hash_mismatch");
  EXPECT_THAT(verdict("f105"), testing::StartsWith("critical"));
  EXPECT_THAT(verdict("f106"), testing::StartsWith("critical"));
  EXPECT_EQ(verdict("f107"), "unknown credentials");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 13U);
  EXPECT_EQ(report.measurements.value(kTargetCount, kFailed), 5U);
  EXPECT_EQ(report.measurements.value(kTargetCount, kUnknown), 2U);
  EXPECT_EQ(world.progress.targets_total, 20U);
  EXPECT_EQ(world.progress.targets_done, 20U);
}

TEST_F(ProbedTargets, OfAnotherHostThatRefusesThemAllAreNoVerdict) {
  Published const published = publish(a_repository(kNow));
  ProbeWorld world{published};
  FileServer other;
  world.spec.targets_url = url_of(other.url("targets"));
  for (auto const& [path, content] : as_files(published)) other.answer(path, 403);
  probes::Report const report = world.run();
  ASSERT_EQ(findings(report, "targets").size(), 0U);
  EXPECT_EQ(report.measurements.value(kTargetCount, kUnknown), 2U);
  EXPECT_EQ(report.measurements.value(kTargetCount, kFailed), 0U);
  EXPECT_THAT(bad(report), testing::HasSubstr("unknown reachable " + other.url("targets/")));
}

TEST_F(ProbedTargets, RefusedWhereAnotherIsServedAreMissing) {
  Published const published = publish(a_repository(kNow));
  ProbeWorld world{published};
  FileServer other;
  world.spec.targets_url = url_of(other.url("targets"));
  other.replace(as_files(published));
  other.answer("targets/" + published.targets.begin()->first, 403);
  probes::Report const report = world.run();
  EXPECT_THAT(bad(report), testing::MatchesRegex("critical targets .* \\(target_missing\\)\n"));
  EXPECT_EQ(report.measurements.value(kTargetCount, kFailed), 1U);
}

TEST_F(ProbedTargets, ByNameAreFoundThroughDelegations) {
  Published const published = publish(delegating());
  ProbeWorld world{published};
  world.spec.targets = {config::Selection::Kind::names, {"y/b", "x/a", "nowhere", "y/b"}};
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "critical targets nowhere (target_missing)\n");
  EXPECT_EQ(findings(report, "targets", "y/b").size(), 1U);
  EXPECT_EQ(findings(report, "targets", "x/a").size(), 1U);
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 2U);
}

TEST_F(ProbedTargets, NoneAreFetchedWhereNoneAreWanted) {
  ProbeWorld world{publish(a_repository(kNow))};
  world.spec.targets.kind = config::Selection::Kind::none;
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "");
  EXPECT_TRUE(findings(report, "targets").empty());
  EXPECT_THAT(world.server.take_requests(),
              testing::Not(testing::Contains(testing::StartsWith("targets/"))));
}

TEST_F(ProbedTargets, AreFoundWhereTheHashStandsBeforeTheFolderWithAWarning) {
  Repository repository = a_repository(kNow);
  repository.targets.files = {{"dir/file", "content"}};
  Published published = publish(repository);
  std::string const place = published.targets.begin()->first;  // dir/<hash>.file
  std::string const hash = place.substr(4, 64);
  published.targets = {{hash + ".dir/file", "content"}};
  ProbeWorld world{published};
  EXPECT_EQ(bad(world.run()), "warning targets dir/file (target_missing)\n");
}

TEST_F(ProbedTargets, AboveTheLimitAreNotFetched) {
  Published const published = publish(a_repository(kNow));
  ProbeWorld world{published};
  world.spec.max_target_bytes = 1;
  probes::Report const report = world.run();
  EXPECT_EQ(report.severity(), Severity::unknown);
  EXPECT_EQ(report.measurements.value(kTargetCount, kUnknown), published.targets.size());
  EXPECT_THAT(world.server.take_requests(),
              testing::Not(testing::Contains(testing::StartsWith("targets/"))));
}

TEST_F(ProbedTargets, OfUnreachablePathsAreADelegationWarning) {
  ProbeWorld world{publish(delegating())};
  probes::Report const report = world.run();
  EXPECT_EQ(bad(report), "warning delegations z/lost (target_missing)\n");
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 3U);
}

TEST_F(ProbedTargets, LargerThanABufferStreamThrough) {
  Repository repository = a_repository(kNow);
  std::string large(3'000'000, 'x');
  for (std::size_t i = 0; i < large.size(); i += 977) large[i] = static_cast<char>('a' + i % 26);
  repository.targets.files = {{"large", large}, {"empty", ""}};
  repository.list_sha512 = true;
  Published const published = publish(repository);
  ProbeWorld world{published};
  EXPECT_EQ(bad(world.run()), "");
  large[2'999'999] = '!';
  for (auto const& [name, content] : published.targets) {
    if (name.ends_with(".large")) world.server.serve("targets/" + name, large);
  }
  EXPECT_EQ(bad(world.run()), "critical targets large (hash_mismatch)\n");
}

}  // namespace
}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// A known oddity is shown as accepted until its end, and hides nothing worse.
#include <gmock/gmock.h>

#include "config/star_pattern.h"
#include "probes/collector.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using config::AcceptSpec;
using probes::Finding;
using probes::Reason;
using probes::Severity;
using std::chrono::days;

AcceptSpec entry(std::string check, std::string subject, std::string reason,
                 AcceptSpec::Worst worst = AcceptSpec::Worst::warning) {
  return {.check = std::move(check),
          .subject = std::move(subject),
          .reason = std::move(reason),
          .because = "mended at the next ceremony",
          .until = kNow + days{30},
          .worst = worst};
}

TEST(Patterns, StandForAnyTextAtTheirStars) {
  for (auto const& [pattern, text] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"root", "root"},
                                                        {"*", ""},
                                                        {"*", "a/b"},
                                                        {"bin-*", "bin-"},
                                                        {"bin-*", "bin-0f"},
                                                        {"*.json", "https://h/1.root.json"},
                                                        {"a*b*c", "axxbyybzc"},
                                                        {"**", "x"},
                                                        {"*a*", "a"}}) {
    EXPECT_TRUE(config::matches_stars(pattern, text)) << pattern << " " << text;
  }
  for (auto const& [pattern, text] :
       std::vector<std::pair<std::string, std::string>>{{"", "x"},
                                                        {"root", "roots"},
                                                        {"root", "Root"},
                                                        {"bin-*", "bin"},
                                                        {"*.json", "json"},
                                                        {"a*b*c", "axxbyyb"},
                                                        {"?", "x"},
                                                        {"[a]", "a"}}) {
    EXPECT_FALSE(config::matches_stars(pattern, text)) << pattern << " " << text;
  }
}

class ProbeAccept : public testing::Test {
 protected:
  // Its key ids are not the hashes of its keys: a warning.
  void use_an_odd_key() {
    Signers& signers = repository_.roots[0].root;
    signers.keys = {signers.keys[0].with_id("not-the-hash")};
    publish_anew();
  }
  void publish_anew() {
    published_ = publish(repository_);
    world_.serve(published_);
    write_folder(world_.folder.path(), {{"pinned.json", published_.root(1)}});
  }

  Repository repository_ = a_repository(kNow);
  Published published_ = publish(repository_);
  ProbeWorld world_{published_};
};

TEST_F(ProbeAccept, ShowsAKnownOddityAndLeavesItOutOfTheRunsSeverity) {
  use_an_odd_key();
  ASSERT_EQ(world_.run().severity(), Severity::warning);
  world_.accept = {entry("signatures", "root", "signature")};
  probes::Report const report = world_.run();
  EXPECT_EQ(report.severity(), Severity::ok);
  EXPECT_EQ(bad(report),
            "warning signatures root (signature)\nwarning signatures root (signature)\n")
      << "a key id that is no hash, nor hexadecimal, with their own severity";
  auto const found = findings(report, "signatures", "root");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_FALSE(found[0].accepted) << "what is ok needs none";
  ASSERT_TRUE(found[1].accepted);
  EXPECT_TRUE(found[2].accepted);
  EXPECT_EQ(found[1].accepted->because, "mended at the next ceremony");
  EXPECT_EQ(found[1].accepted->until, kNow + days{30});
}

TEST_F(ProbeAccept, CountsAgainFromItsEndOnAndSaysSo) {
  use_an_odd_key();
  world_.accept = {entry("signatures", "*", "signature")};
  EXPECT_EQ(world_.run(kNow + days{30} - std::chrono::seconds{1}).severity(), Severity::ok);
  probes::Report const report = world_.run(kNow + days{30});
  EXPECT_EQ(report.severity(), Severity::warning);
  EXPECT_THAT(
      report.worst()->message,
      testing::EndsWith(" (accepted until 2026-07-01T00:00:00Z, which is over: mended at the "
                        "next ceremony)"));
}

TEST_F(ProbeAccept, HidesNothingWorseThanWhatWasAccepted) {
  world_.accept = {entry("expiry", "*", "expired")};
  repository_.timestamp.expires = kNow - days{1};
  publish_anew();
  probes::Report const report = world_.run();
  EXPECT_EQ(report.severity(), Severity::critical);
  EXPECT_THAT(report.worst()->message,
              testing::EndsWith(" (accepted as a warning only, which this is not)"));
  world_.accept[0].worst = AcceptSpec::Worst::critical;
  EXPECT_EQ(world_.run().severity(), Severity::ok);
}

TEST_F(ProbeAccept, NamesEntriesThatNothingWasMeantBy) {
  world_.accept = {entry("signatures", "root", "signature")};
  probes::Report const report = world_.run();
  EXPECT_EQ(report.severity(), Severity::ok);
  auto const notes = findings(report, "accept");
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].subject, "signatures/root/signature");
  EXPECT_EQ(notes[0].message,
            "nothing to accept: no finding of this run is meant by this entry of accept");
  use_an_odd_key();
  EXPECT_TRUE(findings(world_.run(), "accept").empty());
}

TEST_F(ProbeAccept, MeansItsOwnCheckAndReasonOnly) {
  use_an_odd_key();
  world_.accept = {entry("metadata", "root", "signature"), entry("signatures", "root", "parse"),
                   entry("signatures", "roo", "signature")};
  EXPECT_EQ(world_.run().severity(), Severity::warning);
}

Finding finding(std::string subject, std::string message, Severity severity = Severity::critical) {
  return {.check = "consistency",
          .subject = std::move(subject),
          .severity = severity,
          .reason = Reason::hash_mismatch,
          .message = std::move(message),
          .evidence = "e"};
}

probes::Report collected(std::vector<Finding> const& made,
                         std::vector<AcceptSpec> const& accept = {}) {
  probes::Report report;
  {
    probes::Collector collector{report, accept, kNow};
    for (Finding const& each : made) collector.add(each);
  }
  return report;
}

std::vector<Finding> alike(std::size_t count) {
  std::vector<Finding> made;
  for (std::size_t i = 0; i < count; ++i) {
    std::string const role = "bin-" + std::to_string(i);
    made.push_back(finding(role, "length 1" + std::to_string(i) + " of " + role + ", listed is 7"));
  }
  return made;
}

TEST(Grouping, MakesOneFindingOfManyThatDifferInTheirSubjectsOnly) {
  auto made = alike(1'000);
  made.insert(made.begin(), finding("snapshot", "something else"));
  made.push_back(finding("targets", "another thing"));
  probes::Report const report = collected(made);
  ASSERT_EQ(report.findings.size(), 3U);
  EXPECT_EQ(report.findings[0].subject, "snapshot");
  EXPECT_EQ(report.findings[1].subject, "bin-0, bin-1, bin-2 and 997 more");
  EXPECT_EQ(report.findings[1].message,
            "length 10 of bin-0, listed is 7 (1000 alike; this is bin-0)");
  EXPECT_EQ(report.findings[1].severity, Severity::critical);
  EXPECT_EQ(report.findings[1].evidence, "e");
  EXPECT_EQ(report.findings[2].subject, "targets");
}

TEST(Grouping, NamesEachOfAFew) {
  EXPECT_EQ(collected(alike(probes::Collector::kSubjectsNamed)).findings.size(),
            probes::Collector::kSubjectsNamed);
  EXPECT_EQ(collected(alike(probes::Collector::kSubjectsNamed + 1)).findings.size(), 1U);
}

TEST(Grouping, SaysASharedMessageAsItIs) {
  std::vector<Finding> made;
  for (char c = 'a'; c <= 'z'; ++c) made.push_back(finding(std::string(1, c), "same"));
  EXPECT_EQ(collected(made).findings.at(0).message, "same (26 alike)");
}

TEST(Grouping, KeepsApartWhatIsNotTheSame) {
  std::vector<Finding> made = alike(15);
  for (Finding each : alike(15)) {
    each.severity = Severity::warning;
    made.push_back(each);
  }
  EXPECT_EQ(collected(made).findings.size(), 30U) << "other severities";
  made = alike(15);
  for (Finding each : alike(15)) {
    each.message = "other words for " + std::string{each.subject};
    made.push_back(each);
  }
  EXPECT_EQ(collected(made).findings.size(), 30U) << "other words";
  made = alike(40);
  EXPECT_EQ(collected(made, {entry("consistency", "bin-1*", "hash_mismatch",
                                   AcceptSpec::Worst::critical)})
                .findings.size(),
            12U)
      << "29 that count are one, 11 are accepted";
}

TEST(Grouping, LeavesTargetsAndWhatIsOkAlone) {
  std::vector<Finding> made;
  for (int i = 0; i < 50; ++i) {
    made.push_back(finding("t" + std::to_string(i), "missing"));
    made.back().check = "targets";
    made.push_back(finding("r" + std::to_string(i), "fine", Severity::ok));
  }
  EXPECT_EQ(collected(made).findings.size(), 100U);
}

TEST(Grouping, IsDoneByTheProbe) {
  Repository repository = a_repository(kNow);
  repository.targets.succinct = SuccinctSpec{
      .signers = {.keys = {SigningKey::ed25519("bins")}}, .bit_length = 5, .name_prefix = "bin"};
  ProbeWorld world{publish(repository)};
  Files files = as_files(publish(repository));
  std::erase_if(files, [](auto const& file) { return file.first.starts_with("metadata/1.bin-"); });
  world.server.replace(files);
  EXPECT_EQ(bad(world.run()),
            "warning metadata targets (parse)\n"
            "critical metadata bin-00, bin-01, bin-02 and 29 more (metadata_missing)\n");
}

}  // namespace
}  // namespace canary::tuf

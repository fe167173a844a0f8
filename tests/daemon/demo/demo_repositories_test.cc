// SPDX-License-Identifier: Apache-2.0
// Each repository of the demo is what its story says, by the engine's own judgement.
// Thread: main.
#include "daemon/demo/demo_repositories.h"

#include <chrono>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

#include "daemon/demo/demo_directory.h"
#include "probes/tuf/digest.h"
#include "probes/tuf/target_file.h"
#include "tests/tuf/worlds.h"

namespace canary::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

DemoRepository repository(std::string_view name) {
  for (DemoRepository& each : sign_demo_repositories(tuf::kNow)) {
    if (each.name == name) return std::move(each);
  }
  ADD_FAILURE() << "no repository " << name;
  return {};
}

tuf::Result<tuf::TrustedMetadata> refreshed(DemoRepository const& demo, tuf::Time at = tuf::kNow) {
  return tuf::refresh(demo.files.metadata, 1, at, tuf::recording());
}

std::vector<std::string> expired_roles(tuf::TrustedMetadata const& trusted) {
  std::vector<std::string> roles;
  for (tuf::ExpiredRole const& each : trusted.expired()) roles.push_back(each.role);
  return roles;
}

// "folder/HASH.name", as consistent snapshots name a target.
std::string served_name(std::string const& path, tuf::TargetFile const& file) {
  auto const slash = path.rfind('/');
  std::size_t const start = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(0, start) + std::string(file.hashes.sha256) + "." + path.substr(start);
}

// "path: rule" of each target of `role` that is not as listed; `seen` counts the others.
std::vector<std::string> bad_targets(DemoRepository const& demo, tuf::Targets const& role,
                                     int& seen) {
  std::vector<std::string> bad;
  for (auto const& [path, file] : role.entries) {
    tuf::TargetDigest digest(std::string(path), file);
    auto result = digest.update(demo.files.targets.at(served_name(std::string(path), file)));
    if (result) result = digest.finish();
    if (result) {
      ++seen;
    } else {
      bad.push_back(std::string(path) + ": " + std::string(tuf::name(result.error().rule)));
    }
  }
  return bad;
}

TEST(DemoRepositories, HaveDifferentNamesAndStories) {
  std::vector<std::string> names;
  for (DemoRepository const& each : sign_demo_repositories(tuf::kNow)) {
    names.push_back(each.name);
    EXPECT_FALSE(each.story.empty()) << each.name;
  }
  EXPECT_THAT(names, ElementsAre("healthy", "expiring-soon", "expired", "corrupted-target",
                                 "trickling", "unreachable"));
}

TEST(DemoRepositories, AreSignedWithFreshKeysEachTime) {
  EXPECT_NE(repository("healthy").files.root(1), repository("healthy").files.root(1));
}

TEST(DemoRepositories, HealthyVerifiesWithItsDelegationAndAllTargets) {
  DemoRepository const demo = repository("healthy");
  auto trusted = refreshed(demo);
  CANARY_ASSERT_OK(trusted);
  tuf::DelegationWalk walk(trusted.value(), 100);
  EXPECT_THAT(tuf::audit(trusted.value(), demo.files.metadata, walk), IsEmpty());
  ASSERT_NE(trusted.value().targets("plugins"), nullptr);
  int seen = 0;
  EXPECT_THAT(bad_targets(demo, *trusted.value().targets(), seen), IsEmpty());
  EXPECT_THAT(bad_targets(demo, *trusted.value().targets("plugins"), seen), IsEmpty());
  EXPECT_EQ(seen, 5);
  EXPECT_EQ(trusted.value().root().version, 2U);
}

TEST(DemoRepositories, HealthyStaysWithoutWarningForMonths) {
  DemoRepository const demo = repository("healthy");
  auto const trusted = refreshed(demo);
  CANARY_ASSERT_OK(trusted);
  for (auto const& [expires, thresholds] :
       {std::pair{trusted.value().root().expires, demo.expiry.root},
        std::pair{trusted.value().timestamp()->expires, demo.expiry.timestamp},
        std::pair{trusted.value().snapshot()->expires, demo.expiry.snapshot},
        std::pair{trusted.value().targets()->expires, demo.expiry.targets}}) {
    EXPECT_GT(expires - (tuf::kNow + std::chrono::days{180}), thresholds.warning.span);
  }
}

TEST(DemoRepositories, ExpiringSoonIsWithinItsWarningForHours) {
  DemoRepository const demo = repository("expiring-soon");
  auto const trusted = refreshed(demo);
  CANARY_ASSERT_OK(trusted);
  EXPECT_THAT(expired_roles(trusted.value()), IsEmpty());
  auto const left = trusted.value().timestamp()->expires - tuf::kNow;
  EXPECT_LT(left, demo.expiry.timestamp.warning.span);
  EXPECT_GT(left - 18h, demo.expiry.timestamp.critical.span);
  EXPECT_EQ(demo.severity, probes::Severity::warning);
}

TEST(DemoRepositories, ExpiredHasOnlyItsTimestampExpired) {
  DemoRepository const demo = repository("expired");
  auto const client = tuf::refresh(demo.files.metadata, 1, tuf::kNow);
  EXPECT_EQ(tuf::verdict(client), "expired");
  auto const canary = refreshed(demo);
  CANARY_ASSERT_OK(canary);
  EXPECT_THAT(expired_roles(canary.value()), ElementsAre("timestamp"));
}

TEST(DemoRepositories, CorruptedTargetHasOneBadHashAndNothingElse) {
  DemoRepository const demo = repository("corrupted-target");
  auto const trusted = refreshed(demo);
  CANARY_ASSERT_OK(trusted);
  int seen = 0;
  EXPECT_THAT(bad_targets(demo, *trusted.value().targets(), seen),
              ElementsAre("tool-1.4.2.tar.gz: target_hash_mismatch"));
  EXPECT_EQ(seen, 2);
}

TEST(DemoRepositories, TricklingWouldBeHealthyIfItCame) {
  DemoRepository const demo = repository("trickling");
  auto const trusted = refreshed(demo);
  CANARY_ASSERT_OK(trusted);
  int seen = 0;
  EXPECT_THAT(bad_targets(demo, *trusted.value().targets(), seen), IsEmpty());
  EXPECT_EQ(demo.name, kTricklingName);
}

TEST(DemoRepositories, AreWrittenWhereTheyAreServedFrom) {
  auto const directory = DemoDirectory::create();
  ASSERT_TRUE(directory) << directory.error();
  auto const repositories = sign_demo_repositories(tuf::kNow);
  auto const written = write_demo_repositories(directory.value().path(), repositories);
  ASSERT_TRUE(written) << written.error();
  auto const served = served_directory(directory.value().path());
  for (DemoRepository const& each : repositories) {
    std::ifstream root(pinned_root(directory.value().path(), each.name), std::ios::binary);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(root), {}), each.files.root(1));
    EXPECT_EQ(exists(served / each.name / "metadata" / "timestamp.json"),
              each.serving != DemoServing::refused);
  }
}

TEST(DemoRepositories, SayWhichFileCouldNotBeWritten) {
  auto const written = write_demo_repositories("/dev/null/demo", sign_demo_repositories(tuf::kNow));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), "cannot create /dev/null/demo/roots: Not a directory");
}

}  // namespace
}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Rollback, mix-and-match and forgery, and what is still trusted afterwards.
#include <functional>

#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

SigningKey key(std::string_view seed) { return SigningKey::ed25519(seed); }

TEST(Refresh, WithNewVersionsIsAccepted) {
  Repository next = at_version_five();
  next.timestamp.version = next.snapshot.version = next.targets.version = 6;
  TrustedMetadata trusted = remembering(at_version_five(), next);

  CANARY_EXPECT_OK(refresh_rest(trusted, publish(next).metadata));
  EXPECT_EQ(trusted.timestamp()->version, 6U);
  EXPECT_EQ(trusted.targets()->version, 6U);
}

TEST(Rollback, OfTheTimestampIsRejectedAndTheOldOneStays) {
  Repository attack = at_version_five();
  attack.timestamp.version = 4;
  TrustedMetadata trusted = remembering(at_version_five(), attack);

  auto const result = trusted.update_timestamp(publish(attack).metadata.at("timestamp.json"));

  ASSERT_EQ(verdict(result), "timestamp_rollback");
  EXPECT_EQ(sentence(result.error()),
            "timestamp: timestamp_rollback (5.4.3.1): version 4, trusted is 5");
  EXPECT_EQ(trusted.timestamp()->version, 5U);
}

TEST(Rollback, OfTheSnapshotThatANewTimestampListsIsRejected) {
  Repository attack = at_version_five();
  attack.timestamp.version = 6;
  attack.snapshot.version = 4;
  TrustedMetadata trusted = remembering(at_version_five(), attack);

  auto const result = trusted.update_timestamp(publish(attack).metadata.at("timestamp.json"));

  ASSERT_EQ(verdict(result), "snapshot_rollback");
  EXPECT_EQ(trusted.timestamp()->version, 5U);
  EXPECT_EQ(trusted.timestamp()->snapshot.version, 5U);
}

TEST(Rollback, OfTargetsInANewSnapshotIsRejected) {
  Repository attack = at_version_five();
  attack.timestamp.version = attack.snapshot.version = 6;
  attack.targets.version = 4;
  TrustedMetadata trusted = remembering(at_version_five(), attack);

  auto const result = refresh_rest(trusted, publish(attack).metadata);

  ASSERT_EQ(verdict(result), "targets_rollback");
  EXPECT_EQ(result.error().role, "targets");
  EXPECT_EQ(trusted.snapshot(), nullptr);
  EXPECT_EQ(trusted.previous_snapshot()->version, 5U);
}

Repository with_delegation(Repository repository, std::uint64_t version) {
  repository.targets.delegations = {{"apps", {{key("apps")}}, {"apps/*"}}};
  repository.delegated["apps"] = {.version = version, .expires = kNow + kYear};
  return repository;
}

TEST(Rollback, OfADelegatedRoleInANewSnapshotIsRejected) {
  Repository attack = with_delegation(at_version_five(), 6);
  attack.timestamp.version = attack.snapshot.version = attack.targets.version = 6;
  TrustedMetadata trusted = remembering(with_delegation(at_version_five(), 7), attack);

  auto const result = refresh_rest(trusted, publish(attack).metadata);

  ASSERT_EQ(verdict(result), "targets_rollback");
  EXPECT_EQ(result.error().role, "apps");
}

TEST(Rollback, ByRemovingARoleFromTheSnapshotIsRejected) {
  Repository attack = at_version_five();
  attack.timestamp.version = attack.snapshot.version = attack.targets.version = 6;
  TrustedMetadata trusted = remembering(with_delegation(at_version_five(), 7), attack);

  auto const result = refresh_rest(trusted, publish(attack).metadata);

  ASSERT_EQ(verdict(result), "snapshot_entry_removed");
  EXPECT_EQ(result.error().role, "apps");
  EXPECT_EQ(trusted.snapshot(), nullptr);
}

TEST(Refresh, MayAddARoleToTheSnapshot) {
  Repository next = with_delegation(at_version_five(), 1);
  next.timestamp.version = next.snapshot.version = next.targets.version = 6;
  TrustedMetadata trusted = remembering(at_version_five(), next);

  CANARY_EXPECT_OK(refresh_rest(trusted, publish(next).metadata));
}

TEST(Refresh, WithTheSameTimestampKeepsTheOldOneWithoutAnError) {
  Repository const repository = at_version_five();
  TrustedMetadata trusted = remembering(repository, repository);

  auto const result = trusted.update_timestamp(publish(repository).metadata.at("timestamp.json"));

  CANARY_ASSERT_OK(result);
  EXPECT_EQ(result.value(), TimestampOutcome::unchanged);
  EXPECT_FALSE(has_notice(trusted.notices(), NoticeKind::same_version_changed, "timestamp"));
}

TEST(Equivocation, OfTheTimestampIsDiscardedAndNoted) {
  Repository const before = at_version_five();
  Repository changed = before;
  changed.timestamp.expires += std::chrono::hours{1};
  TrustedMetadata trusted = remembering(before, changed);

  auto const result = trusted.update_timestamp(publish(changed).metadata.at("timestamp.json"));

  CANARY_ASSERT_OK(result);
  EXPECT_EQ(result.value(), TimestampOutcome::unchanged);
  EXPECT_EQ(trusted.timestamp()->expires, before.timestamp.expires);
  EXPECT_TRUE(has_notice(trusted.notices(), NoticeKind::same_version_changed, "timestamp"));
}

TEST(Refresh, KeepsAPreviousSnapshotThatTheTimestampStillLists) {
  Repository const repository = at_version_five();
  Published const published = publish(repository);
  TrustedMetadata trusted = remembering(repository, repository);
  CANARY_ASSERT_OK(trusted.update_timestamp(published.metadata.at("timestamp.json")));

  std::string stored = trusted.previous_snapshot()->document->text();

  EXPECT_EQ(trusted.previous_snapshot()->version, trusted.expected("snapshot")->version);
  CANARY_EXPECT_OK(trusted.update_snapshot(std::move(stored)));
}

// --- mix and match ---

TEST(MixAndMatch, OfASnapshotWithAnotherVersionIsRejected) {
  Repository repository = at_version_five();
  repository.list_lengths = repository.list_hashes = false;
  Repository other = repository;
  other.snapshot.version = 6;
  auto trusted = walk_roots(publish(repository).metadata);
  CANARY_ASSERT_OK(trusted);
  CANARY_ASSERT_OK(
      trusted.value().update_timestamp(publish(repository).metadata.at("timestamp.json")));

  auto const result =
      trusted.value().update_snapshot(publish(other).metadata.at("6.snapshot.json"));

  ASSERT_EQ(verdict(result), "snapshot_mix_and_match");
  EXPECT_EQ(trusted.value().snapshot(), nullptr);
}

TEST(MixAndMatch, OfTargetsWithAnotherVersionIsRejected) {
  Repository repository = at_version_five();
  repository.list_lengths = repository.list_hashes = false;
  Repository other = repository;
  other.targets.version = 6;
  Files metadata = publish(repository).metadata;
  metadata["5.targets.json"] = publish(other).metadata.at("6.targets.json");

  EXPECT_EQ(verdict(refresh(metadata)), "targets_mix_and_match");
}

TEST(MixAndMatch, OfARoleThatTheSnapshotDoesNotListIsRejected) {
  Repository repository = with_delegation(at_version_five(), 1);
  Published const published = publish(repository);
  Files metadata = published.metadata;
  std::vector<ListedFile> const listed{{"targets.json", 5}};
  metadata["5.snapshot.json"] =
      sign_metadata(snapshot_json(repository.snapshot, listed), std::vector{key("snapshot")});
  metadata["timestamp.json"] = sign_metadata(
      timestamp_json(repository.timestamp, {"snapshot.json", 5}), std::vector{key("timestamp")});
  auto trusted = refresh(metadata);
  CANARY_ASSERT_OK(trusted);

  auto const result = trusted.value().update_delegated_targets(
      "apps", "targets", published.metadata.at("1.apps.json"));

  EXPECT_EQ(verdict(result), "role_not_in_snapshot");
  EXPECT_EQ(trusted.value().targets("apps"), nullptr);
}

// --- lengths and hashes of metadata ---

class ListedFacts : public ::testing::TestWithParam<std::string> {};

TEST_P(ListedFacts, DoNotMatchChangedBytes) {
  Published const published = publish(at_version_five());
  Files metadata = published.metadata;
  std::string& bytes = metadata.at("5." + GetParam() + ".json");
  bytes[bytes.find("\"sig\":\"") + 7] ^= 1;  // the same length
  EXPECT_EQ(verdict(refresh(metadata)), "hash_mismatch");

  metadata.at("5." + GetParam() + ".json") =
      published.metadata.at("5." + GetParam() + ".json") + "\n";
  EXPECT_EQ(verdict(refresh(metadata)), "length_mismatch");
}

INSTANTIATE_TEST_SUITE_P(Roles, ListedFacts, ::testing::Values("snapshot", "targets"));

TEST(ListedFactsOfMetadata, MayBeAbsent) {
  Repository repository = at_version_five();
  repository.list_lengths = repository.list_hashes = false;
  Files metadata = publish(repository).metadata;
  metadata.at("5.targets.json") += "\n";

  CANARY_EXPECT_OK(refresh(metadata));
}

TEST(ConsistentSnapshots, MayBeOff) {
  Repository repository = at_version_five();
  repository.roots[0].consistent_snapshot = false;
  Published const published = publish(repository);

  CANARY_EXPECT_OK(refresh(published.metadata));
  EXPECT_TRUE(published.metadata.contains("snapshot.json"));
  EXPECT_TRUE(published.targets.contains("dir/readme.txt"));
}

// --- signatures of the other roles ---

struct ForgedCase {
  std::string role;
  std::function<void(Repository&)> forge;

  friend std::ostream& operator<<(std::ostream& out, ForgedCase const& test) {
    return out << test.role;
  }
};

class Forged : public ::testing::TestWithParam<ForgedCase> {};

TEST_P(Forged, RoleIsRejected) {
  Repository repository = at_version_five();
  GetParam().forge(repository);

  auto const trusted = refresh(publish(repository).metadata);

  ASSERT_EQ(verdict(trusted), "threshold");
  EXPECT_EQ(trusted.error().role, GetParam().role);
}

INSTANTIATE_TEST_SUITE_P(
    Roles, Forged,
    ::testing::Values(ForgedCase{"timestamp",
                                 [](Repository& repository) {
                                   repository.roots[0].timestamp.signing = {key("attacker")};
                                 }},
                      ForgedCase{"snapshot",
                                 [](Repository& repository) {
                                   repository.roots[0].snapshot.signing = {key("attacker")};
                                 }},
                      ForgedCase{"targets",
                                 [](Repository& repository) {
                                   repository.roots[0].targets.signing = {key("timestamp")};
                                 }}),
    [](auto const& info) { return info.param.role; });

}  // namespace
}  // namespace canary::tuf

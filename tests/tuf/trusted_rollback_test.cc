// SPDX-License-Identifier: Apache-2.0
// Rollback, mix-and-match, freeze and recovery, and what is still trusted afterwards.
#include <functional>

#include "probes/tuf/digest.h"
#include "probes/tuf/role_name.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

SigningKey key(std::string_view seed) { return SigningKey::ed25519(seed); }

// A repository after some releases, and a client that saw it like this.
Repository at_version_five() {
  Repository repository = a_repository(kNow);
  repository.timestamp.version = repository.snapshot.version = repository.targets.version = 5;
  return repository;
}

// After finish_roots, with what an earlier refresh of `before` had stored.
TrustedMetadata remembering(Repository const& before, Repository const& now, Policy policy = {}) {
  Published const old = publish(before);
  auto trusted = walk_roots(publish(now).metadata, 1, kNow, policy);
  EXPECT_TRUE(trusted.has_value());
  std::string const snapshot = before.roots.back().consistent_snapshot
                                   ? metadata_file("snapshot", before.snapshot.version)
                                   : "snapshot.json";
  CANARY_EXPECT_OK(trusted.value().load_previous_timestamp(old.metadata.at("timestamp.json")));
  CANARY_EXPECT_OK(trusted.value().load_previous_snapshot(old.metadata.at(snapshot)));
  return std::move(trusted).value();
}

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

// --- freeze ---

struct ExpiredCase {
  std::string role;
  std::string section;
  std::function<void(Repository&)> expire;

  friend std::ostream& operator<<(std::ostream& out, ExpiredCase const& test) {
    return out << test.role;
  }
};

class Freeze : public ::testing::TestWithParam<ExpiredCase> {};

TEST_P(Freeze, AtAnExpiredRoleStopsAClient) {
  Repository repository = at_version_five();
  GetParam().expire(repository);

  auto const trusted = refresh(publish(repository).metadata);

  ASSERT_EQ(verdict(trusted), "expired");
  EXPECT_EQ(trusted.error().role, GetParam().role);
  EXPECT_EQ(spec_section(trusted.error().rule, trusted.error().role), GetParam().section);
}

TEST_P(Freeze, AtAnExpiredRoleIsRecordedByACanary) {
  Repository repository = at_version_five();
  GetParam().expire(repository);

  auto const trusted = refresh(publish(repository).metadata, 1, kNow, recording());

  CANARY_ASSERT_OK(trusted);
  ASSERT_EQ(trusted.value().expired().size(), 1U);
  EXPECT_EQ(trusted.value().expired()[0].role, GetParam().role);
  EXPECT_EQ(trusted.value().expired()[0].expires, kNow);
}

INSTANTIATE_TEST_SUITE_P(
    Roles, Freeze,
    ::testing::Values(
        ExpiredCase{"root", "5.3.10", [](Repository& r) { r.roots.back().expires = kNow; }},
        ExpiredCase{"timestamp", "5.4.4", [](Repository& r) { r.timestamp.expires = kNow; }},
        ExpiredCase{"snapshot", "5.5.6", [](Repository& r) { r.snapshot.expires = kNow; }},
        ExpiredCase{"targets", "5.6.5", [](Repository& r) { r.targets.expires = kNow; }}),
    [](auto const& info) { return info.param.role; });

TEST(FreezeAttack, WithTheSameExpiredTimestampStopsAClient) {
  Repository repository = at_version_five();
  repository.timestamp.expires = kNow;
  TrustedMetadata trusted = remembering(repository, repository);

  EXPECT_EQ(verdict(trusted.update_timestamp(publish(repository).metadata.at("timestamp.json"))),
            "expired");
}

TEST(Refresh, ComparesWithAnExpiredPreviousTimestamp) {
  Repository before = at_version_five();
  before.timestamp.expires = before.snapshot.expires = kNow - kYear;
  Repository attack = at_version_five();
  attack.timestamp.version = 4;
  TrustedMetadata trusted = remembering(before, attack);

  EXPECT_EQ(verdict(trusted.update_timestamp(publish(attack).metadata.at("timestamp.json"))),
            "timestamp_rollback");
}

// --- fast-forward recovery ---

TEST(FastForward, IsRecoveredFromByRotatingTheTimestampKey) {
  Repository attacked = at_version_five();
  attacked.timestamp.version = attacked.snapshot.version = 4'000'000'000;
  Repository recovered = at_version_five();
  add_root(recovered).timestamp = {{key("new timestamp")}};
  Published const old = publish(attacked);
  Published const fresh = publish(recovered);
  auto trusted = walk_roots(fresh.metadata);
  CANARY_ASSERT_OK(trusted);

  EXPECT_TRUE(trusted.value().keys_rotated());
  EXPECT_EQ(verdict(trusted.value().load_previous_timestamp(old.metadata.at("timestamp.json"))),
            "keys_rotated");
  EXPECT_EQ(
      verdict(trusted.value().load_previous_snapshot(old.metadata.at("4000000000.snapshot.json"))),
      "keys_rotated");
  CANARY_EXPECT_OK(refresh_rest(trusted.value(), fresh.metadata));
  EXPECT_EQ(trusted.value().timestamp()->version, 5U);
}

TEST(FastForward, RecoveryForgetsWhenOneOfSeveralKeysWasReplaced) {
  Repository before = at_version_five();
  before.roots[0].snapshot = {{key("a"), key("b")}, 1};
  Repository after = before;
  add_root(after).snapshot = {{key("a"), key("c")}, 1};

  auto const trusted = walk_roots(publish(after).metadata);

  CANARY_ASSERT_OK(trusted);
  EXPECT_TRUE(trusted.value().keys_rotated());
}

TEST(FastForward, RecoveryDoesNotForgetWhenOnlyOtherKeysWereRotated) {
  Repository after = at_version_five();
  RootSpec& next = add_root(after);
  next.root = {{key("new root")}};
  next.targets = {{key("new targets")}};

  auto const trusted = walk_roots(publish(after).metadata);

  CANARY_ASSERT_OK(trusted);
  EXPECT_FALSE(trusted.value().keys_rotated());
}

TEST(Previous, TimestampThatAnotherKeySignedIsForgotten) {
  Repository forged = at_version_five();
  forged.roots[0].timestamp.signing = {key("attacker")};
  auto trusted = walk_roots(publish(at_version_five()).metadata);
  CANARY_ASSERT_OK(trusted);

  EXPECT_EQ(verdict(trusted.value().load_previous_timestamp(
                publish(forged).metadata.at("timestamp.json"))),
            "threshold");
  EXPECT_EQ(trusted.value().timestamp(), nullptr);
  CANARY_EXPECT_OK(refresh_rest(trusted.value(), publish(at_version_five()).metadata));
}

// --- order ---

TEST(Order, CannotBeBroken) {
  Files const metadata = publish(at_version_five()).metadata;
  auto made = TrustedMetadata::create(metadata.at("1.root.json"), kNow, {});
  CANARY_ASSERT_OK(made);
  TrustedMetadata& trusted = made.value();
  auto const timestamp = [&] { return trusted.update_timestamp(metadata.at("timestamp.json")); };
  auto const snapshot = [&] { return trusted.update_snapshot(metadata.at("5.snapshot.json")); };
  auto const targets = [&] { return trusted.update_targets(metadata.at("5.targets.json")); };
  auto const delegated = [&] { return trusted.update_delegated_targets("a", "targets", "{}"); };

  EXPECT_EQ(verdict(timestamp()), "out_of_order");
  EXPECT_EQ(verdict(trusted.load_previous_timestamp(metadata.at("timestamp.json"))),
            "out_of_order");
  CANARY_ASSERT_OK(trusted.finish_roots());
  EXPECT_EQ(verdict(trusted.finish_roots()), "out_of_order");
  EXPECT_EQ(verdict(trusted.update_root(metadata.at("1.root.json"))), "out_of_order");
  EXPECT_EQ(verdict(snapshot()), "out_of_order");
  CANARY_ASSERT_OK(timestamp());
  EXPECT_EQ(verdict(timestamp()), "out_of_order");
  EXPECT_EQ(verdict(trusted.load_previous_snapshot(metadata.at("5.snapshot.json"))),
            "out_of_order");
  EXPECT_EQ(verdict(targets()), "out_of_order");
  CANARY_ASSERT_OK(snapshot());
  EXPECT_EQ(verdict(snapshot()), "out_of_order");
  EXPECT_EQ(verdict(delegated()), "out_of_order");
  CANARY_ASSERT_OK(targets());
  EXPECT_EQ(verdict(targets()), "out_of_order");
  EXPECT_EQ(verdict(delegated()), "role_not_delegated");
  EXPECT_EQ(verdict(trusted.update_delegated_targets("a", "nobody", "{}")), "out_of_order");
}

TEST(Retry, AfterARejectionSucceeds) {
  Files const metadata = publish(at_version_five()).metadata;
  auto trusted = walk_roots(metadata);
  CANARY_ASSERT_OK(trusted);
  EXPECT_EQ(verdict(trusted.value().update_timestamp("<html>")), "json_syntax");

  CANARY_EXPECT_OK(refresh_rest(trusted.value(), metadata));
}

TEST(SizeLimit, IsWhatIsListedOrTheRolesLimit) {
  Files const metadata = publish(at_version_five()).metadata;
  auto trusted = walk_roots(metadata);
  CANARY_ASSERT_OK(trusted);
  EXPECT_EQ(trusted.value().size_limit("timestamp"), Limits{}.timestamp);
  CANARY_ASSERT_OK(refresh_rest(trusted.value(), metadata));

  EXPECT_EQ(trusted.value().size_limit("snapshot"), metadata.at("5.snapshot.json").size());
  EXPECT_EQ(trusted.value().size_limit("targets"), metadata.at("5.targets.json").size());
  EXPECT_EQ(trusted.value().bytes("targets"), metadata.at("5.targets.json"));
}

}  // namespace
}  // namespace canary::tuf

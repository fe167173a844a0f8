// SPDX-License-Identifier: Apache-2.0
// Freeze attacks, recovery from fast-forward, order of the steps, and what is still trusted.
#include <functional>

#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

SigningKey key(std::string_view seed) { return SigningKey::ed25519(seed); }

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

TEST(FastForward, RecoveryDoesNotForgetWhenAKeyWasAdded) {
  Repository before = at_version_five();
  before.roots[0].snapshot = {{key("a")}, 1};
  Repository after = before;
  add_root(after).snapshot = {{key("a"), key("b")}, 2};

  auto const trusted = walk_roots(publish(after).metadata);

  CANARY_ASSERT_OK(trusted);
  EXPECT_FALSE(trusted.value().keys_rotated());
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

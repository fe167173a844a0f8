// SPDX-License-Identifier: Apache-2.0
// Attacks on the chain of roots, and what is still trusted afterwards.
#include "probes/tuf/parse.h"
#include "probes/tuf/role_name.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

SigningKey key(std::string_view seed) { return SigningKey::ed25519(seed); }

TrustedMetadata trusting_first_root(Repository const& repository, Policy policy = {}) {
  auto trusted = TrustedMetadata::create(publish(repository).root(1), kNow, policy);
  EXPECT_TRUE(trusted.has_value());
  return std::move(trusted).value();
}

TEST(TrustedRoot, LeadsThroughARotationOfItsKeys) {
  Repository repository = a_repository(kNow);
  add_root(repository).root = {{key("new root")}};
  add_root(repository).timestamp = {{key("new timestamp")}};

  auto const trusted = refresh(publish(repository).metadata);

  CANARY_ASSERT_OK(trusted);
  EXPECT_EQ(trusted.value().root().version, 3U);
  EXPECT_EQ(trusted.value().root_updates(), 2U);
}

TEST(TrustedRoot, RejectsAPinnedRootThatDoesNotSignItself) {
  Repository repository = a_repository(kNow);
  repository.roots[0].root.signing = {key("untrusted")};

  EXPECT_EQ(verdict(TrustedMetadata::create(publish(repository).root(1), kNow, {})), "threshold");
}

TEST(TrustedRoot, RejectsARootThatSkipsAVersionAndKeepsTheOldOne) {
  Repository repository = a_repository(kNow);
  add_root(repository).version = 3;
  TrustedMetadata trusted = trusting_first_root(repository);

  auto const result = trusted.update_root(publish(repository).root(3));

  ASSERT_EQ(verdict(result), "root_version_gap");
  EXPECT_EQ(sentence(result.error()),
            "root: root_version_gap (5.3.5): version 3, expected precisely 2");
  EXPECT_EQ(trusted.root().version, 1U);
}

TEST(TrustedRoot, RejectsAReplayOfTheSameVersionAndKeepsTheOldOne) {
  Repository const repository = a_repository(kNow);
  TrustedMetadata trusted = trusting_first_root(repository);

  EXPECT_EQ(verdict(trusted.update_root(publish(repository).root(1))), "root_version_gap");
  EXPECT_EQ(trusted.root().version, 1U);
}

TEST(TrustedRoot, RejectsARollbackToAnOlderVersion) {
  Repository repository = a_repository(kNow);
  add_root(repository);
  Published const published = publish(repository);
  TrustedMetadata trusted = trusting_first_root(repository);
  CANARY_ASSERT_OK(trusted.update_root(published.root(2)));

  EXPECT_EQ(verdict(trusted.update_root(published.root(1))), "root_version_gap");
  EXPECT_EQ(trusted.root().version, 2U);
}

TEST(TrustedRoot, RejectsARootThatTheOldKeysDidNotSign) {
  Repository repository = a_repository(kNow);
  RootSpec& next = add_root(repository);
  next.root = {{key("attacker")}};
  next.root.signing = {key("attacker")};
  TrustedMetadata trusted = trusting_first_root(repository);

  auto const result = trusted.update_root(publish(repository).root(2));

  ASSERT_EQ(verdict(result), "threshold");
  EXPECT_NE(result.error().detail.find("the trusted root demands 1"), std::string::npos);
  EXPECT_EQ(trusted.root().version, 1U);
}

TEST(TrustedRoot, RejectsARootThatItsOwnKeysDidNotSign) {
  Repository repository = a_repository(kNow);
  RootSpec& next = add_root(repository);
  next.root = {{key("new root")}};
  next.root.signing = {key("root")};
  TrustedMetadata trusted = trusting_first_root(repository);

  auto const result = trusted.update_root(publish(repository).root(2));

  ASSERT_EQ(verdict(result), "threshold");
  EXPECT_NE(result.error().detail.find("the new root itself demands 1"), std::string::npos);
  EXPECT_EQ(trusted.root().version, 1U);
}

TEST(TrustedRoot, RejectsATamperedRoot) {
  Repository repository = a_repository(kNow);
  add_root(repository);
  std::string bytes = publish(repository).root(2);
  bytes.replace(bytes.find("\"threshold\":1"), 13, "\"threshold\":2");
  TrustedMetadata trusted = trusting_first_root(repository);

  EXPECT_EQ(verdict(trusted.update_root(bytes)), "signature_invalid");
  EXPECT_EQ(trusted.root().version, 1U);
}

TEST(TrustedRoot, MayBeExpiredInTheMiddleOfTheChain) {
  Repository repository = a_repository(kNow);
  repository.roots[0].expires = kNow - kYear;
  add_root(repository).expires = kNow - kYear;
  add_root(repository).expires = kNow + kYear;

  CANARY_EXPECT_OK(refresh(publish(repository).metadata));
}

TEST(TrustedRoot, ThatIsTheLastMayNotBeExpired) {
  Repository repository = a_repository(kNow);
  add_root(repository).expires = kNow;  // expired at, not after, its time
  Published const published = publish(repository);

  auto const trusted = walk_roots(published.metadata);

  ASSERT_EQ(verdict(trusted), "expired");
  EXPECT_EQ(spec_section(trusted.error().rule, trusted.error().role), "5.3.10");
  CANARY_EXPECT_OK(walk_roots(published.metadata, 1, kNow - std::chrono::seconds{1}));
}

TEST(TrustedRoot, WalkStopsAtTheRotationLimit) {
  Repository repository = a_repository(kNow);
  for (int i = 0; i < 4; ++i) add_root(repository);
  Policy policy;
  policy.limits.root_rotations = 3;

  auto const trusted = walk_roots(publish(repository).metadata, 1, kNow, policy);

  EXPECT_EQ(verdict(trusted), "root_rotation_limit");
}

TEST(TrustedRoot, LargerThanTheLimitIsRefused) {
  Repository const repository = a_repository(kNow);
  Policy policy;
  policy.limits.root = 100;

  EXPECT_EQ(verdict(TrustedMetadata::create(publish(repository).root(1), kNow, policy)),
            "size_limit");
}

TEST(TrustedRoot, WithAKeyOfUnknownTypeStillWorks) {
  Repository repository = a_repository(kNow);
  repository.roots[0].targets.keys.push_back(key("future").with_public_json(
      R"({"keytype":"ml-dsa","keyval":{"public":"00"},"scheme":"ml-dsa-65"})"));
  repository.roots[0].targets.signing = {key("targets")};

  auto const trusted = refresh(publish(repository).metadata);

  CANARY_ASSERT_OK(trusted);
  EXPECT_TRUE(has_notice(trusted.value().notices(), NoticeKind::key_unsupported, "root"));
  EXPECT_TRUE(has_notice(trusted.value().notices(), NoticeKind::key_unsupported, "targets"));
}

TEST(TrustedRoot, OfEverySchemeVerifiesTheWholeRepository) {
  for (Scheme const scheme : {Scheme::ed25519, Scheme::ecdsa_sha2_nistp256,
                              Scheme::ecdsa_sha2_nistp384, Scheme::rsassa_pss_sha256}) {
    Repository repository = a_repository(kNow);
    SigningKey const signer = SigningKey::generate(scheme);
    RootSpec& root = repository.roots[0];
    root.root = root.timestamp = root.snapshot = root.targets = {{signer}};

    CANARY_EXPECT_OK(refresh(publish(repository).metadata));
  }
}

// --- thresholds ---

TEST(Threshold, CountsAKeyOnceHoweverOftenItIsListed) {
  Repository repository = a_repository(kNow);
  repository.roots[0].root = {{key("root"), key("root")}, 2, std::vector{key("root")}};

  auto const trusted = TrustedMetadata::create(publish(repository).root(1), kNow, {});

  ASSERT_EQ(verdict(trusted), "threshold");
  EXPECT_NE(trusted.error().detail.find("1 of 1 keys signed"), std::string::npos);
}

TEST(Threshold, CountsAPublicKeyUnderTwoIdsOnce) {
  Repository repository = a_repository(kNow);
  SigningKey const alias = key("root").with_id(std::string(64, 'a'));
  repository.roots[0].root = {{key("root"), alias}, 2};

  EXPECT_EQ(verdict(TrustedMetadata::create(publish(repository).root(1), kNow, {})), "threshold");
}

TEST(Threshold, RefusesTwoSignaturesByOneKeyId) {
  Repository repository = a_repository(kNow);
  repository.roots[0].root = {
      {key("root"), key("other")}, 2, std::vector{key("root"), key("root")}};

  EXPECT_EQ(verdict(TrustedMetadata::create(publish(repository).root(1), kNow, {})),
            "duplicate_signature");
}

TEST(Threshold, OfTwoNeedsTwoKeys) {
  Repository repository = a_repository(kNow);
  repository.roots[0].root = {{key("a"), key("b"), key("c")}, 2};
  CANARY_EXPECT_OK(TrustedMetadata::create(publish(repository).root(1), kNow, {}));

  repository.roots[0].root.signing = {key("c"), key("a")};
  auto const enough = TrustedMetadata::create(publish(repository).root(1), kNow, {});
  CANARY_ASSERT_OK(enough);
  SignatureTally const& tally = enough.value().tallies().at("root");
  EXPECT_EQ(tally.valid, 2U);
  EXPECT_EQ(tally.margin(), 0);
  EXPECT_EQ(tally.missing, 1U);

  repository.roots[0].root.signing = {key("c"), key("untrusted")};
  EXPECT_EQ(verdict(TrustedMetadata::create(publish(repository).root(1), kNow, {})), "threshold");
}

TEST(Threshold, IsNotDisturbedByBadSignaturesBesideEnoughGoodOnes) {
  Repository repository = a_repository(kNow);
  repository.roots[0].root = {{key("a"), key("b"), key("c"), key("d")}, 1, std::vector{key("a")}};
  std::string bytes = publish(repository).root(1);
  std::string const more = R"({"keyid":")" + key("b").id() + R"(","sig":""},{"keyid":")" +
                           key("c").id() + R"(","sig":"no hex"},{"keyid":")" + key("d").id() +
                           R"(","sig":"abcd"},{"keyid":"untrusted","sig":"00"},)";
  bytes.insert(bytes.find('[') + 1, more);

  auto const trusted = TrustedMetadata::create(bytes, kNow, {});

  CANARY_ASSERT_OK(trusted);
  SignatureTally const& tally = trusted.value().tallies().at("root");
  EXPECT_EQ(tally.valid, 1U);
  EXPECT_EQ(tally.invalid, 2U);
  EXPECT_EQ(tally.missing, 1U);
  for (NoticeKind const kind : {NoticeKind::signature_missing, NoticeKind::signature_invalid}) {
    EXPECT_TRUE(has_notice(trusted.value().notices(), kind, "root")) << name(kind);
  }
}

TEST(Threshold, NotesASignatureByAnUntrustedKey) {
  Repository repository = a_repository(kNow);
  repository.roots[0].timestamp.signing = {key("timestamp"), key("untrusted")};

  auto const trusted = refresh(publish(repository).metadata);

  CANARY_ASSERT_OK(trusted);
  EXPECT_TRUE(has_notice(trusted.value().notices(), NoticeKind::signature_unknown, "timestamp"));
}

TEST(Threshold, ThatNoSetOfKeysCanMeetIsMissed) {
  Repository repository = a_repository(kNow);
  repository.roots[0].targets.threshold = 3;

  auto const trusted = refresh(publish(repository).metadata);

  ASSERT_EQ(verdict(trusted), "threshold");
  EXPECT_EQ(trusted.error().role, "targets");
}

}  // namespace
}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// What counts towards a threshold, what can't be told, and what a hostile file may cost.
#include "probes/tuf/threshold.h"

#include <ctime>

#include <gmock/gmock.h>

#include "probes/tuf/parse.h"
#include "probes/tuf/public_key.h"
#include "probes/tuf/verified_signatures.h"
#include "tests/support/sanitizer.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

using ::testing::HasSubstr;

// One P-256 key, its point written out and compressed.
constexpr std::string_view kWhole =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAERx6VJwxj4cO0uhqDxC9ES5nbMBy8\n"
    "CLjK5puDSYmTibEZDKRoYjopBkIYAm0OIyHMGvrRgDuLyShsovvB1mF/FQ==\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kCompressed =
    "-----BEGIN PUBLIC KEY-----\n"
    "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADRx6VJwxj4cO0uhqDxC9ES5nbMBy8\n"
    "CLjK5puDSYmTibE=\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kMessage = "canonical bytes";
constexpr std::string_view kSignature =
    "3045022100cb43691ddd91088890e6a0210cf1d4b9c1b047781a235793d27bc87408e60915022014152a6372"
    "9083b02db8a44a9dea5eff79a8f2edd8de444b5abd5e49005238c2";

Key p256_key(std::string_view id, std::string_view text) {
  return {.id = id,
          .type = "ecdsa",
          .scheme_name = "ecdsa-sha2-nistp256",
          .text = text,
          .scheme = Scheme::ecdsa_sha2_nistp256};
}

Key foreign_key(std::string_view id, std::string_view text) {
  return {.id = id,
          .type = "sphincs",
          .scheme_name = "sphincs",
          .text = text,
          .fitness = Fitness::unsupported,
          .problem = "not supported"};
}

RoleKeys role_of(std::vector<std::string_view> ids, std::uint64_t threshold) {
  return {std::move(ids), threshold};
}

TEST(Threshold, CountsOneKeyInTwoEncodingsOnce) {
  std::vector<Key> const keys{p256_key("a", kWhole), p256_key("b", kCompressed)};
  std::vector<Signature> const signatures{{"a", kSignature}, {"b", kSignature}};

  SignatureTally const tally =
      tally_signatures("root", role_of({"a", "b"}, 2), keys, signatures, kMessage);

  EXPECT_EQ(tally.valid_ids, 2U);
  EXPECT_EQ(tally.valid, 1U);
  EXPECT_TRUE(has_notice(tally.notices, NoticeKind::same_key_twice, "root"));
  EXPECT_TRUE(has_notice(tally.notices, NoticeKind::key_encoding, "root"));
  EXPECT_EQ(verdict(require_threshold("root", "root itself", tally)), "threshold");
}

TEST(Threshold, ThatOnlyAnUnsupportedKeyCouldMeetCannotBeTold) {
  std::vector<Key> const keys{p256_key("a", kWhole), foreign_key("b", "00")};
  std::vector<Signature> const signatures{{"a", kSignature}, {"b", "00"}};

  SignatureTally const tally =
      tally_signatures("root", role_of({"a", "b"}, 2), keys, signatures, kMessage);
  auto const required = require_threshold("root", "root itself", tally);

  EXPECT_TRUE(tally.undecided());
  ASSERT_EQ(verdict(required), "unsupported");
  EXPECT_EQ(required.error().detail,
            "1 of 2 keys signed, root itself demands 2; key b: not supported");
  EXPECT_TRUE(could_not_tell(required.error().rule));
}

TEST(Threshold, ThatAnUnsupportedKeyCouldNotMeetEitherIsMissed) {
  std::vector<Key> const keys{foreign_key("a", "00"), foreign_key("b", "00"),
                              foreign_key("c", "01")};
  RoleKeys const role = role_of({"a", "b", "c"}, 2);

  // The same public key under two ids; and one that did not sign.
  SignatureTally const tally = tally_signatures(
      "root", role, keys, std::vector<Signature>{{"a", "00"}, {"b", "00"}}, kMessage);
  EXPECT_EQ(tally.unsupported, 1U);
  EXPECT_EQ(verdict(require_threshold("root", "root itself", tally)), "threshold");

  SignatureTally const empty = tally_signatures(
      "root", role, keys, std::vector<Signature>{{"a", ""}, {"c", "01"}}, kMessage);
  EXPECT_EQ(empty.unsupported, 1U);
  EXPECT_EQ(verdict(require_threshold("root", "root itself", empty)), "threshold");
}

// What was valid is not computed again, and counts as it did.
TEST(Threshold, KnowsWhatItVerified) {
  std::vector<Key> const keys{p256_key("a", kWhole), p256_key("b", kCompressed)};
  std::vector<Signature> const signatures{{"a", kSignature}, {"b", kSignature}};
  RoleKeys const role = role_of({"a", "b"}, 2);
  VerifiedSignatures known;
  auto const tally = [&] {
    return tally_signatures("root", role, keys, signatures, kMessage, {}, &known);
  };
  SignatureTally const first = tally();
  Message message{kMessage};
  EXPECT_TRUE(known.find(VerifiedSignatures::id_of(keys[0], kSignature, message)));
  SignatureTally const second = tally();
  EXPECT_EQ(second.valid, first.valid);
  EXPECT_EQ(second.valid_ids, first.valid_ids);
  EXPECT_EQ(second.notices, first.notices);
}

// One that was put there by hand shows that it is asked.
TEST(Threshold, TakesTheWordOfWhatIsKnown) {
  std::vector<Key> const keys{p256_key("a", kWhole)};
  std::vector<Signature> const signatures{{"a", "00"}};
  VerifiedSignatures known;
  Message message{kMessage};
  known.add(VerifiedSignatures::id_of(keys[0], "00", message), {.fingerprint = "f"});
  auto const tally =
      tally_signatures("root", role_of({"a"}, 1), keys, signatures, kMessage, {}, &known);
  EXPECT_EQ(tally.valid, 1U);
}

TEST(VerifiedSignatures, AreKnownByAllThatDecides) {
  Message message{kMessage}, other{"other bytes"};
  Key const key = p256_key("a", kWhole);
  Key scheme = key, point = key, pkcs1 = key;
  scheme.scheme = Scheme::ecdsa_sha2_nistp384;
  point.hex_point = true;
  pkcs1.pkcs1 = true;
  auto const id = VerifiedSignatures::id_of(key, kSignature, message);
  EXPECT_EQ(VerifiedSignatures::id_of(p256_key("another id", kWhole), kSignature, message), id);
  EXPECT_NE(VerifiedSignatures::id_of(key, kSignature, other), id);
  EXPECT_NE(VerifiedSignatures::id_of(key, "00", message), id);
  EXPECT_NE(VerifiedSignatures::id_of(p256_key("a", kCompressed), kSignature, message), id);
  for (auto const& changed : {scheme, point, pkcs1}) {
    EXPECT_NE(VerifiedSignatures::id_of(changed, kSignature, message), id);
  }
}

TEST(VerifiedSignatures, AreForgottenAfterARunThatDidNotAsk) {
  VerifiedSignatures known;
  known.add({1}, {.fingerprint = "a"});
  known.add({2}, {.fingerprint = "b"});
  known.begin_run();
  EXPECT_TRUE(known.find({1}));
  known.begin_run();
  EXPECT_TRUE(known.find({1}));
  EXPECT_FALSE(known.find({2}));
}

TEST(VerifiedSignatures, AreSoManyAtMost) {
  VerifiedSignatures known;
  auto const id = [](std::size_t i) {
    return VerifiedSignatures::Id{static_cast<unsigned char>(i >> 8),
                                  static_cast<unsigned char>(i)};
  };
  for (std::size_t i = 0; i <= VerifiedSignatures::kKept; ++i) known.add(id(i), {});
  EXPECT_TRUE(known.find(id(0)));
  EXPECT_FALSE(known.find(id(VerifiedSignatures::kKept)));
}

TEST(Threshold, BeyondTheBudgetOfVerificationsCannotBeTold) {
  FileBudget budget;
  budget.verifications = 2;
  std::vector<Key> const keys{p256_key("a", kWhole), p256_key("b", kWhole), p256_key("c", kWhole)};
  std::vector<Signature> const signatures{{"a", "00"}, {"b", "00"}, {"c", kSignature}};
  RoleKeys const role = role_of({"a", "b", "c"}, 1);

  SignatureTally const tally = tally_signatures("root", role, keys, signatures, kMessage, budget);
  auto const required = require_threshold("root", "root itself", tally);

  EXPECT_EQ(tally.unverified, 1U);
  ASSERT_EQ(verdict(required), "budget");
  EXPECT_EQ(required.error().detail,
            "0 of 3 keys signed, root itself demands 1; 1 more signatures were not verified "
            "(budget verifications); signature by key a does not verify; signature by key b does "
            "not verify");
  budget.verifications = 3;
  EXPECT_TRUE(tally_signatures("root", role, keys, signatures, kMessage, budget).met());
}

TEST(Threshold, BeyondTheBudgetOfTimeLooksAtTheFirstSignatureAtLeast) {
  FileBudget budget;
  budget.verifying = std::chrono::milliseconds{0};
  std::vector<Key> const keys{p256_key("a", kWhole), p256_key("b", kCompressed)};
  std::vector<Signature> const signatures{{"a", kSignature}, {"b", kSignature}};

  SignatureTally const tally =
      tally_signatures("root", role_of({"a", "b"}, 1), keys, signatures, kMessage, budget);

  EXPECT_EQ(tally.valid, 1U);
  EXPECT_EQ(tally.unverified, 1U);
}

// --- What an untrusted file costs -------------------------------------------------------

std::chrono::nanoseconds cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

// A root whose role "root" names `named` of `count` keys, each of which signed with nonsense.
std::string flooded_root(std::size_t count, std::size_t named, bool with_signatures) {
  std::string keys;
  std::string ids;
  std::string signatures;
  for (std::size_t i = 0; i < count; ++i) {
    std::string const id = json_quote(std::to_string(i));
    keys.append(i > 0 ? "," : "").append(id).append(R"(:{"keytype":"ecdsa","keyval":{"public":)");
    keys.append(json_quote(kCompressed)).append(R"(},"scheme":"ecdsa-sha2-nistp256"})");
    if (i < named) ids.append(i > 0 ? "," : "").append(id);
    if (with_signatures) {
      signatures.append(i > 0 ? "," : "").append(R"({"keyid":)").append(id);
      signatures.append(R"(,"sig":")").append(kSignature).append("\"}");
    }
  }
  std::string const role = R"({"keyids":[)" + ids + R"(],"threshold":1})";
  return R"({"signatures":[)" + signatures +
         R"(],"signed":{"_type":"root","consistent_snapshot":true,)"
         R"("expires":"2030-01-01T00:00:00Z","keys":{)" +
         keys + R"(},"roles":{"root":)" + role + R"(,"snapshot":)" + role + R"(,"targets":)" +
         role + R"(,"timestamp":)" + role + R"(},"spec_version":"1.0.34","version":2}})";
}

// Decoding the keys of this file would take more than a second; with a sanitizer, ten times that.
constexpr std::chrono::milliseconds kBytesOfManyKeys{support::kSanitizer ? 5'000 : 500};

TEST(HostileRoot, OfThousandsOfKeysCostsNoMoreThanItsBytes) {
  std::string const file = flooded_root(4'466, 1, false);
  auto const begun = cpu_time();

  auto const parsed = parse_root(file);
  CANARY_ASSERT_OK(parsed);
  Root const& root = parsed.value().content;
  SignatureTally const tally = tally_signatures(
      "root", root.root, root.keys, parsed.value().signatures, parsed.value().signed_bytes);

  EXPECT_LT(cpu_time() - begun, kBytesOfManyKeys);
  EXPECT_EQ(root.keys.size(), 4'466U);
  EXPECT_FALSE(tally.met());
  EXPECT_LE(parsed.value().notices.size(), 8U);
}

TEST(HostileRoot, OfAThousandSignaturesIsVerifiedWithinTheBudget) {
  std::string const file = flooded_root(1'000, 1'000, true);
  auto const parsed = parse_root(file);
  CANARY_ASSERT_OK(parsed);
  Root const& root = parsed.value().content;
  auto const begun = cpu_time();

  SignatureTally const tally = tally_signatures(
      "root", root.root, root.keys, parsed.value().signatures, parsed.value().signed_bytes);

  EXPECT_LT(cpu_time() - begun, std::chrono::milliseconds{1'500});
  EXPECT_EQ(tally.invalid, FileBudget{}.verifications);
  EXPECT_EQ(tally.unverified, 1'000 - FileBudget{}.verifications);
  EXPECT_EQ(verdict(require_threshold("root", "root itself", tally)), "budget");
}

struct BudgetCase {
  std::string name;
  std::function<void(FileBudget&)> set;
  std::string detail;

  friend std::ostream& operator<<(std::ostream& out, BudgetCase const& test) {
    return out << test.name;
  }
};

class Budget : public ::testing::TestWithParam<BudgetCase> {};

TEST_P(Budget, EndsAsAFindingThatNamesItAndThePlace) {
  FileBudget budget;
  GetParam().set(budget);

  auto const parsed = parse_root(flooded_root(3, 3, true), budget);

  ASSERT_FALSE(parsed);
  EXPECT_TRUE(could_not_tell(parsed.error().rule));
  EXPECT_EQ(parsed.error().detail, GetParam().detail);
  EXPECT_EQ(parsed.error().role, "root");
}

INSTANTIATE_TEST_SUITE_P(
    OfARoot, Budget,
    ::testing::Values(
        BudgetCase{"signatures", [](FileBudget& budget) { budget.signatures = 2; },
                   "signatures: 3 entries, canaryd looks at 2 (budget signatures)"},
        BudgetCase{"keys", [](FileBudget& budget) { budget.keys = 2; },
                   "signed.keys: 3 entries, canaryd looks at 2 (budget keys)"},
        BudgetCase{"keyids", [](FileBudget& budget) { budget.keyids = 2; },
                   "signed.roles.root.keyids: 3 entries, canaryd looks at 2 (budget keyids)"},
        BudgetCase{
            "depth", [](FileBudget& budget) { budget.depth = 4; },
            "nested deeper than 4 levels (budget depth) at byte 636, $.signed.keys.0.keyval"},
        BudgetCase{
            "values", [](FileBudget& budget) { budget.values = 10; },
            "more than 10 values (budget values) at byte 558, $.signed.consistent_snapshot"}),
    [](auto const& info) { return info.param.name; });

TEST(Budget, OfEntriesAndRolesHoldsForTargets) {
  TargetsSpec spec{.expires = kNow, .files = {{"a", "a"}, {"b", "b"}}};
  Signers const signers{{SigningKey::ed25519("any")}};
  spec.delegations = {{"x", signers, {"1", "2", "3"}}, {"y", signers, {"1"}}};
  std::string const bytes = sign_metadata(targets_json(spec), signers.keys);
  FileBudget budget;
  budget.entries = 1;
  auto const entries = parse_targets(bytes, "targets", budget);
  budget.entries = 2;
  auto const patterns = parse_targets(bytes, "targets", budget);
  budget.entries = 3;
  budget.roles = 1;
  auto const roles = parse_targets(bytes, "targets", budget);
  budget.roles = 2;

  ASSERT_EQ(verdict(entries), "budget");
  EXPECT_EQ(entries.error().detail,
            "signed.targets: 2 entries, canaryd looks at 1 (budget entries)");
  ASSERT_EQ(verdict(patterns), "budget");
  EXPECT_THAT(patterns.error().detail, HasSubstr("signed.delegations.roles[0].paths: 3 entries"));
  ASSERT_EQ(verdict(roles), "budget");
  EXPECT_THAT(roles.error().detail, HasSubstr("signed.delegations.roles: 2 entries"));
  CANARY_EXPECT_OK(parse_targets(bytes, "targets", budget));
}

TEST(Budget, TakesAHundredLevelsOfCustomData) {
  TargetsSpec spec{.expires = kNow, .files = {{"a", "a"}}};
  std::string text = targets_json(spec);
  std::string const nested = std::string(100, '[') + std::string(100, ']');
  std::string const length = R"("length":1)";
  text.replace(text.find(length), length.size(), R"("custom":{"deep":)" + nested + "}," + length);

  CANARY_EXPECT_OK(
      parse_targets(sign_metadata(text, std::vector{SigningKey::ed25519("any")}), "targets"));
}

}  // namespace
}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Repositories that others published. Skipped where the shared data is absent.

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>

#include "probes/tuf/role_name.h"
#include "probes/tuf/target_file.h"
#include "tests/tuf/folders.h"

namespace canary::tuf {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr Time kSigstoreWasValid = std::chrono::sys_days{2026y / 8 / 25};
constexpr Time kToughWasValid = std::chrono::sys_days{2019y / 12 / 1};

fs::path shared_data() {
  char const* set = std::getenv("CANARY_SHARED_DATA");
  return set != nullptr ? fs::path(set) : fs::path("../shared/data");
}

class Sigstore : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::path const archive = shared_data() / "sigstore.tar.gz";
    if (!fs::exists(archive)) GTEST_SKIP() << archive << " is absent";
    std::string const command =
        "tar -xzf '" + archive.string() + "' -C '" + folder_.path().string() + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
    metadata_ = read_folder(folder_.path() / "sigstore/metadata");
    targets_ = read_folder(folder_.path() / "sigstore/targets");
  }
  // The one delegated role: found by position.
  static std::string delegated_role(TrustedMetadata const& trusted) {
    return std::string(trusted.targets()->delegations.value().roles.front().name);
  }

  TemporaryFolder folder_;
  Files metadata_;
  Files targets_;
};

TEST_F(Sigstore, LeadsFromItsFirstRootToItsFifteenth) {
  auto const trusted = walk_roots(metadata_, 1, kSigstoreWasValid);

  CANARY_ASSERT_OK(trusted);
  EXPECT_EQ(trusted.value().root().version, 15U);
  EXPECT_EQ(trusted.value().root_updates(), 14U);
}

TEST_F(Sigstore, EveryRootLeadsToTheSameState) {
  for (std::uint64_t first = 1; first <= 15; ++first) {
    auto const trusted = refresh(metadata_, first, kSigstoreWasValid);
    CANARY_ASSERT_OK(trusted);
    EXPECT_EQ(trusted.value().root().version, 15U);
    EXPECT_EQ(trusted.value().timestamp()->version, 762U);
    EXPECT_EQ(trusted.value().snapshot()->version, 165U);
    EXPECT_EQ(trusted.value().targets()->version, 14U);
  }
}

TEST_F(Sigstore, EveryTargetHasItsLengthAndHash) {
  auto trusted = refresh(metadata_, 1, kSigstoreWasValid);
  CANARY_ASSERT_OK(trusted);
  DelegationWalk walk(trusted.value(), 100);
  EXPECT_TRUE(audit(trusted.value(), metadata_, walk).empty());
  std::vector<Targets const*> const roles{trusted.value().targets(),
                                          trusted.value().targets(delegated_role(trusted.value()))};

  std::size_t verified = 0;
  for (Targets const* role : roles) {
    ASSERT_NE(role, nullptr);
    for (auto const& [path, file] : role->entries) {
      TargetDigest digest{std::string(path), file};
      std::string const name = target_file_path(path, file.hashes.sha256);
      ASSERT_TRUE(targets_.contains(name)) << name;
      CANARY_EXPECT_OK(digest.update(targets_.at(name)));
      CANARY_EXPECT_OK(digest.finish());
      ++verified;
    }
  }
  EXPECT_EQ(verified, 12U);
}

TEST_F(Sigstore, InNovemberExactlyRootTimestampAndTheNpmDelegationAreExpired) {
  auto trusted = refresh(metadata_, 1, std::chrono::sys_days{2026y / 11 / 24}, recording());
  CANARY_ASSERT_OK(trusted);
  DelegationWalk walk(trusted.value(), 100);
  EXPECT_TRUE(audit(trusted.value(), metadata_, walk).empty());

  std::vector<std::string> roles;
  for (ExpiredRole const& expired : trusted.value().expired()) roles.push_back(expired.role);
  EXPECT_EQ(roles,
            (std::vector<std::string>{"root", "timestamp", delegated_role(trusted.value())}));
}

TEST_F(Sigstore, InNovemberAClientStopsAtTheRoot) {
  auto const trusted = refresh(metadata_, 1, std::chrono::sys_days{2026y / 11 / 24});

  EXPECT_EQ(verdict(trusted), "expired");
  EXPECT_EQ(trusted.error().role, "root");
}

TEST_F(Sigstore, RootElevensKeyIdThatIsNoHashIsANotice) {
  auto const trusted = TrustedMetadata::create(metadata_.at("11.root.json"), kSigstoreWasValid, {});

  CANARY_ASSERT_OK(trusted);
  EXPECT_TRUE(has_notice(trusted.value().notices(), NoticeKind::keyid_mismatch, "root"));
}

TEST_F(Sigstore, RootOnesHexadecimalKeysAndOffsetAreNotices) {
  auto const trusted = TrustedMetadata::create(metadata_.at("1.root.json"), kSigstoreWasValid, {});

  CANARY_ASSERT_OK(trusted);
  EXPECT_TRUE(has_notice(trusted.value().notices(), NoticeKind::legacy_key_format, "root"));
  EXPECT_TRUE(has_notice(trusted.value().notices(), NoticeKind::expires_format, "root"));
}

// tough's collection: a folder per defect.
struct ToughCase {
  std::string name;
  std::string file;     // below the folder of the data
  std::string verdict;  // of `create` and `finish_roots`
  std::string detail;   // part of the rejection's

  friend std::ostream& operator<<(std::ostream& out, ToughCase const& test) {
    return out << test.file;
  }
};

class ToughRoots : public ::testing::TestWithParam<ToughCase> {};

TEST_P(ToughRoots, GetTheirVerdict) {
  fs::path const file = shared_data() / "tough" / GetParam().file;
  if (!fs::exists(file)) GTEST_SKIP() << file << " is absent";

  auto trusted = TrustedMetadata::create(read_file(file), kToughWasValid, {});
  auto const result = trusted ? trusted.value().finish_roots() : Result<void>(trusted.error());

  EXPECT_EQ(verdict(result), GetParam().verdict);
  if (!result) EXPECT_THAT(sentence(result.error()), ::testing::HasSubstr(GetParam().detail));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ToughRoots,
    ::testing::Values(
        ToughCase{"simple_rsa", "simple-rsa/root.json", "accepted", ""},
        ToughCase{"cross_sign", "cross-sign-root/1.root.json", "threshold",
                  "no signature by key 69f069"},
        ToughCase{"hex_ecdsa", "hex-encoded-ecdsa-sig-keys/root.json", "accepted", ""},
        ToughCase{"pem_ecdsa", "pem-encoded-ecdsa-sig-keys/root.json", "accepted", ""},
        ToughCase{"new_type_ecdsa", "ecdsa-new-type-sig-keys/root.json", "accepted", ""},
        ToughCase{"duplicate_keyid", "duplicate-keyid/root.json", "json_duplicate_key",
                  "$.signed.keys.8ec3a8"},
        ToughCase{"duplicate_sig_keys", "duplicate-sig-keys/root.json", "duplicate_signature",
                  "two signatures by key 8ec3a8"},
        ToughCase{"duplicate_sigs", "duplicate-sigs/root.json", "duplicate_signature",
                  "two signatures by key 8ec3a8"},
        ToughCase{"expired", "expired-root-json-signature/root.json", "expired",
                  "expired at 1970-03-30T03:30:30Z"},
        ToughCase{"invalid_signature", "invalid-root-json-signature/root.json", "signature_invalid",
                  "does not verify"},
        ToughCase{"mismatched_keyids", "mismatched-root-json-keyids/root.json", "threshold",
                  "no key has the id ffffff"},
        ToughCase{"no_signatures", "no-root-json-signatures/root.json", "threshold",
                  "no signature by key 8ec3a8"}),
    [](auto const& info) { return info.param.name; });

class ToughRepositories : public ::testing::TestWithParam<ToughCase> {};

TEST_P(ToughRepositories, GetTheirVerdict) {
  fs::path const folder = shared_data() / "tough" / GetParam().file;
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent";
  Files const metadata = read_folder(folder);

  auto trusted = refresh(metadata, 1, kToughWasValid);

  EXPECT_EQ(verdict(trusted), GetParam().verdict);
  if (!trusted) {
    EXPECT_THAT(sentence(trusted.error()), ::testing::HasSubstr(GetParam().detail));
    return;
  }
  DelegationWalk walk(trusted.value(), 100);
  for (Rejection const& rejection : audit(trusted.value(), metadata, walk)) {
    ADD_FAILURE() << sentence(rejection);
  }
  EXPECT_EQ(std::to_string(walk.pairs()) + " delegations", GetParam().detail);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ToughRepositories,
    ::testing::Values(
        ToughCase{"reference", "tuf-reference-impl/metadata", "accepted", "2 delegations"},
        ToughCase{"consistent", "consistent-snapshots/metadata", "accepted", "0 delegations"},
        ToughCase{"dubious_names", "dubious-role-names/metadata", "accepted", "3 delegations"},
        ToughCase{"safe_paths", "safe-target-paths/metadata", "accepted", "1 delegations"},
        ToughCase{"rotated", "rotated-root", "accepted", "0 delegations"},
        ToughCase{"expired", "expired-repository/metadata", "expired",
                  "timestamp: expired (5.4.4): version 1589485578 expired at 1999-01-01"}),
    [](auto const& info) { return info.param.name; });

TEST(ToughExpiredRepository, OnlyItsTimestampIsExpired) {
  fs::path const folder = shared_data() / "tough/expired-repository/metadata";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent";

  auto const trusted = refresh(read_folder(folder), 1, kSigstoreWasValid, recording());

  CANARY_ASSERT_OK(trusted);
  std::vector<std::string> roles;
  for (ExpiredRole const& expired : trusted.value().expired()) roles.push_back(expired.role);
  EXPECT_EQ(roles, (std::vector<std::string>{"timestamp"}));
}

}  // namespace
}  // namespace canary::tuf

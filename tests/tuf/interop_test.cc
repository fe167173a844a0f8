// SPDX-License-Identifier: Apache-2.0
// Another implementation's repositories verify here, and ours there: python-tuf, from its registry.
// Skipped, with the reason, where Python or python-tuf can't be had.
#include <filesystem>
#include <string>

#include <gmock/gmock.h>

#include "probes/tuf/role_name.h"
#include "probes/tuf/target_file.h"
#include "tests/tuf/folders.h"
#include "tests/tuf/programs.h"

namespace canary::tuf {
namespace {

namespace fs = std::filesystem;

class PythonTuf : public ::testing::Test {
 protected:
  void SetUp() override {
    python_ = python_tuf();
    if (python_.empty()) GTEST_SKIP() << "no python-tuf";
  }

  Ran interop(std::string const& arguments) const {
    return run(python_ + " tests/tuf/interop.py " + arguments);
  }
  // Publishes below the temporary folder, and lets python-tuf's Updater refresh and download.
  Ran accept(Repository const& repository, std::vector<std::string> const& targets) const {
    Published const published = publish(repository);
    write_folder(folder_.path() / "metadata", published.metadata);
    write_folder(folder_.path() / "targets", published.targets);
    std::string command = "update " + shell_quote(folder_.path().string()) + " " +
                          shell_quote((folder_.path() / "metadata/1.root.json").string());
    for (std::string const& target : targets) command += " " + shell_quote(target);
    return interop(command);
  }

  std::string python_;
  TemporaryFolder folder_;
};

// Verifies every target of every role; returns how many.
std::size_t verify_targets(TrustedMetadata& trusted, Files const& metadata, Files const& targets) {
  DelegationWalk walk(trusted, 1000);
  std::vector<std::string> roles{"targets"};
  while (auto const need = walk.next()) {
    auto const result = trusted.update_delegated_targets(need->role, need->delegator,
                                                         metadata.at(file_of(trusted, need->role)));
    CANARY_EXPECT_OK(result);
    roles.push_back(need->role);
  }
  std::size_t verified = 0;
  for (std::string const& role : roles) {
    for (auto const& [path, file] : trusted.targets(role)->entries) {
      std::string_view const prefix =
          trusted.root().consistent_snapshot ? file.hashes.sha256 : std::string_view{};
      TargetDigest digest(std::string(path), file);
      CANARY_EXPECT_OK(digest.update(targets.at(target_file_path(path, prefix))));
      CANARY_EXPECT_OK(digest.finish());
      ++verified;
    }
  }
  return verified;
}

TEST_F(PythonTuf, WritesRepositoriesThatTheEngineVerifies) {
  fs::path const written = folder_.path() / "written";
  Ran const ran = interop("write " + shell_quote(written.string()));
  ASSERT_EQ(ran.status, 0) << ran.output;

  for (std::string const kind : {"ed25519", "rsa", "ecdsa"}) {
    for (std::string const layout : {"-consistent", "-plain"}) {
      SCOPED_TRACE(kind + layout);
      Files const metadata = read_folder(written / (kind + layout) / "metadata");
      Files const targets = read_folder(written / (kind + layout) / "targets");

      auto trusted = refresh(metadata);

      CANARY_ASSERT_OK(trusted);
      EXPECT_EQ(trusted.value().root().version, 2U);
      EXPECT_EQ(verify_targets(trusted.value(), metadata, targets), 3U);
      auto const found = find_target(trusted.value(), metadata, "apps/two");
      CANARY_ASSERT_OK(found);
      EXPECT_EQ(found.value().role, "deep");
      for (Notice const& notice : trusted.value().notices()) {
        ADD_FAILURE() << notice.role << ": " << name(notice.kind) << ": " << notice.detail;
      }
    }
  }
}

TEST_F(PythonTuf, WritesHashBinsThatTheEngineVerifies) {
  fs::path const written = folder_.path() / "written";
  Ran const ran = interop("write " + shell_quote(written.string()));
  ASSERT_EQ(ran.status, 0) << ran.output;
  Files const metadata = read_folder(written / "bins/metadata");
  Files const targets = read_folder(written / "bins/targets");

  auto trusted = refresh(metadata);

  CANARY_ASSERT_OK(trusted);
  EXPECT_EQ(verify_targets(trusted.value(), metadata, targets), 20U);
  for (int i = 0; i < 20; ++i) {
    CANARY_EXPECT_OK(find_target(trusted.value(), metadata, "apps/" + std::to_string(i)));
  }
}

TEST_F(PythonTuf, SignsWithEverySchemeThatTheEngineVerifies) {
  fs::path const written = folder_.path() / "written";
  Ran const ran = interop("write " + shell_quote(written.string()));
  ASSERT_EQ(ran.status, 0) << ran.output;

  for (std::string const name : {"schemes-a", "schemes-b"}) {
    SCOPED_TRACE(name);
    auto const trusted = refresh(read_folder(written / name / "metadata"));

    CANARY_ASSERT_OK(trusted);
    EXPECT_TRUE(has_notice(trusted.value().notices(), NoticeKind::key_scheme, "root"));
    EXPECT_FALSE(has_notice(trusted.value().notices(), NoticeKind::salt_length, "root"));
  }
}

TEST_F(PythonTuf, AcceptsARepositoryOfEveryScheme) {
  Repository repository = a_repository(std::chrono::sys_days{std::chrono::year{2036} / 1 / 1});
  Signers const rsa{{SigningKey::generate(Scheme::rsassa_pss_sha256)}};
  Signers const p256{{SigningKey::generate(Scheme::ecdsa_sha2_nistp256)}};
  Signers const p384{{SigningKey::generate(Scheme::ecdsa_sha2_nistp384)}};
  repository.roots[0].timestamp = rsa;
  repository.roots[0].snapshot = p256;
  repository.roots[0].targets = p384;
  add_root(repository).root = {{SigningKey::ed25519("a"), SigningKey::ed25519("b")}, 2};
  repository.list_sha512 = true;

  Ran const ran = accept(repository, {"hello.txt", "dir/readme.txt"});

  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, ::testing::HasSubstr("python-tuf accepts dir/readme.txt"));
}

TEST_F(PythonTuf, AcceptsDelegationsAndBins) {
  Time const now = std::chrono::sys_days{std::chrono::year{2036} / 1 / 1};
  Repository repository = a_repository(now);
  std::string const odd = "apps/\xC3\xBCn\xC3\xAF \"quoted\"";
  Signers const signers{{SigningKey::ed25519("delegated")}};
  repository.targets.delegations = {{odd, signers, {"apps/*"}}, {"bins", signers, {"*/*"}}};
  repository.delegated[odd] = {.expires = now + kYear, .files = {{"apps/one", "one\n"}}};
  TargetsSpec& bins = repository.delegated["bins"];
  bins.expires = now + kYear;
  bins.succinct = SuccinctSpec{signers, 4, "bin"};
  SuccinctRoles const roles{{}, 4, "bin"};
  std::string const bin = bin_name(roles, bin_of(roles, path_hash("lib/two")));
  repository.delegated[bin] = {.expires = now + kYear, .files = {{"lib/two", "two\n"}}};

  Ran const ran = accept(repository, {"apps/one", "lib/two"});

  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, ::testing::HasSubstr("python-tuf accepts lib/two"));
}

TEST_F(PythonTuf, RefusesWhatTheEngineRefuses) {
  Repository repository = a_repository(std::chrono::sys_days{std::chrono::year{2036} / 1 / 1});
  repository.roots[0].targets.signing = {SigningKey::ed25519("attacker")};

  Ran const ran = accept(repository, {"hello.txt"});

  EXPECT_NE(ran.status, 0);
  EXPECT_EQ(verdict(refresh(publish(repository).metadata)), "threshold");
}

}  // namespace
}  // namespace canary::tuf

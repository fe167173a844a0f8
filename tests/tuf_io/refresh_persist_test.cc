// SPDX-License-Identifier: Apache-2.0
// What a refresh leaves on disk after success, after each failure, and after a crash in between.
#include <utility>

#include <gmock/gmock.h>

#include "probes/tuf/client.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

// A client with a folder, refreshed again and again as the repository changes.
class Persisted : public testing::Test {
 protected:
  void SetUp() override {
    repository_ = a_repository(kNow);
    init(publish(repository_));
  }
  void init(Published const& published) {
    write_folder(folder_.path(), {{"first.json", published.root(1)}});
    ASSERT_TRUE(init_client(state(), folder_.path() / "first.json", kNow));
  }
  std::filesystem::path state() const { return folder_.path() / "state"; }
  // The sentence of the failure; empty on success.
  std::string refresh(Files files, Time now = kNow) {
    server_.replace(std::move(files));
    ClientSettings settings{state(), url_of(server_.url("metadata")), now, quick()};
    ClientWorld const world{machine_.services, machine_.disk};
    auto const done = machine_.loop.block_on(refresh_client(std::move(settings), world, {}));
    return done ? "" : done.error();
  }
  std::string refresh(Published const& published, Time now = kNow) {
    return refresh(as_files(published), now);
  }
  // Versions of what is stored: "root 1, timestamp 3".
  std::string stored() const {
    std::string text;
    for (std::string const role : {"root", "timestamp", "snapshot", "targets"}) {
      std::string const bytes = read_file(state() / (role + ".json"));
      if (bytes.empty()) continue;
      auto const document = json::Document::parse(bytes, role, {});
      json::Value const* content = document.value()->root().find("signed");
      text += (text.empty() ? "" : ", ") + role + " ";
      text += content->find("version")->number();
    }
    return text;
  }
  void next_version() {
    ++repository_.timestamp.version;
    ++repository_.snapshot.version;
    ++repository_.targets.version;
  }

  TemporaryFolder folder_;
  Machine machine_;
  FileServer server_;
  Repository repository_;
};

TEST_F(Persisted, InitStoresTheRootAndNothingElse) {
  EXPECT_EQ(read_folder(state()), (Files{{"root.json", publish(repository_).root(1)}}));
}

TEST_F(Persisted, OriginalBytesAfterSuccess) {
  Published const published = publish(repository_);
  EXPECT_EQ(refresh(published), "");
  EXPECT_EQ(read_folder(state()),
            (Files{{"root.json", published.root(1)},
                   {"timestamp.json", published.metadata.at("timestamp.json")},
                   {"snapshot.json", published.metadata.at("1.snapshot.json")},
                   {"targets.json", published.metadata.at("1.targets.json")}}));
}

TEST_F(Persisted, TheStepsBeforeTheOneThatFailed) {
  ASSERT_EQ(refresh(publish(repository_)), "");
  next_version();
  Published published = publish(repository_);
  published.metadata["2.targets.json"] = "garbage";
  EXPECT_NE(refresh(published), "");
  EXPECT_EQ(stored(), "root 1, timestamp 2, snapshot 2, targets 1");
  next_version();
  published = publish(repository_);
  published.metadata.erase("3.snapshot.json");
  EXPECT_NE(refresh(published), "");
  EXPECT_EQ(stored(), "root 1, timestamp 3, snapshot 2, targets 1");
}

TEST_F(Persisted, NothingOfARolledBackTimestamp) {
  ASSERT_EQ(refresh(publish(repository_)), "");
  Published const old = publish(repository_);
  next_version();
  ASSERT_EQ(refresh(publish(repository_)), "");
  EXPECT_THAT(refresh(old), testing::HasSubstr("timestamp_rollback"));
  EXPECT_EQ(stored(), "root 1, timestamp 2, snapshot 2, targets 2");
}

TEST_F(Persisted, AnExpiredRootButNoExpiredTimestamp) {
  repository_.timestamp.expires = kNow + std::chrono::days{1};
  add_root(repository_);
  EXPECT_THAT(refresh(publish(repository_), kNow + std::chrono::days{2}),
              testing::HasSubstr("expired"));
  EXPECT_EQ(stored(), "root 2");
  RootSpec& third = add_root(repository_);
  third.expires = kNow + std::chrono::days{3};
  EXPECT_THAT(refresh(publish(repository_), kNow + std::chrono::days{4}),
              testing::HasSubstr("5.3.10"));
  EXPECT_EQ(stored(), "root 3") << "roots are kept as they are accepted";
}

TEST_F(Persisted, RotatedKeysDeleteTimestampAndSnapshot) {
  ASSERT_EQ(refresh(publish(repository_)), "");
  add_root(repository_).timestamp.keys = {SigningKey::ed25519("rotated")};
  Published published = publish(repository_);
  published.metadata.erase("timestamp.json");
  EXPECT_NE(refresh(published), "");
  EXPECT_EQ(stored(), "root 2, targets 1");
}

TEST_F(Persisted, AnAddedKeyOrAHigherThresholdDeletesNothing) {
  ASSERT_EQ(refresh(publish(repository_)), "");
  RootSpec& root = add_root(repository_);
  root.snapshot.keys.push_back(SigningKey::ed25519("one more"));
  root.snapshot.threshold = 3;
  next_version();
  EXPECT_THAT(refresh(publish(repository_)), testing::HasSubstr("snapshot: threshold (5.5.3)"));
  EXPECT_EQ(stored(), "root 2, timestamp 2, snapshot 1, targets 1");
}

TEST_F(Persisted, RotatedKeysAllowLowerVersions) {
  repository_.timestamp.version = repository_.snapshot.version = 1'000'000;
  ASSERT_EQ(refresh(publish(repository_)), "");
  repository_.timestamp.version = repository_.snapshot.version = 2;
  EXPECT_THAT(refresh(publish(repository_)), testing::HasSubstr("rollback"));
  RootSpec& root = add_root(repository_);
  root.timestamp.keys = {SigningKey::ed25519("new timestamp")};
  root.snapshot.keys = {SigningKey::ed25519("new snapshot")};
  EXPECT_EQ(refresh(publish(repository_)), "");
  EXPECT_EQ(stored(), "root 2, timestamp 2, snapshot 2, targets 1");
}

// A crash between two writes leaves a prefix of the new files beside the old rest.
TEST_F(Persisted, EveryStateThatACrashCanLeaveLoads) {
  Published const before = publish(repository_);
  ASSERT_EQ(refresh(before), "");
  Files const old = read_folder(state());
  next_version();
  add_root(repository_);
  Published const after = publish(repository_);
  ASSERT_EQ(refresh(after), "");
  Files const fresh = read_folder(state());
  std::vector<std::string> const order{"root.json", "timestamp.json", "snapshot.json",
                                       "targets.json"};
  for (std::size_t done = 0; done <= order.size(); ++done) {
    Files left = old;
    for (std::size_t i = 0; i < done; ++i) left[order[i]] = fresh.at(order[i]);
    if (done < order.size()) left[order[done] + ".part"] = fresh.at(order[done]).substr(0, 50);
    std::filesystem::remove_all(state());
    write_folder(state(), left);
    EXPECT_EQ(refresh(after), "") << done << " of the files were replaced";
    EXPECT_EQ(read_folder(state()), fresh) << done << " of the files were replaced";
  }
}

// §5.3.11: the deletions come before the root, or a crash would keep a fast-forwarded timestamp.
TEST_F(Persisted, ACrashDuringRotationDoesNotKeepAFastForwardedSnapshot) {
  repository_.timestamp.version = repository_.snapshot.version = 1'000'000;
  ASSERT_EQ(refresh(publish(repository_)), "");
  Files const attacked = read_folder(state());
  repository_.timestamp.version = repository_.snapshot.version = 2;
  RootSpec& root = add_root(repository_);
  root.snapshot.keys = {SigningKey::ed25519("new snapshot")};
  root.timestamp.keys = {SigningKey::ed25519("new timestamp")};
  for (std::vector<std::string> const& deleted :
       {std::vector<std::string>{}, {"timestamp.json"}, {"timestamp.json", "snapshot.json"}}) {
    Files left = attacked;
    for (std::string const& file : deleted) left.erase(file);
    std::filesystem::remove_all(state());
    write_folder(state(), left);
    EXPECT_EQ(refresh(publish(repository_)), "") << deleted.size() << " were deleted";
  }
}

TEST_F(Persisted, CorruptCopiesAreForgottenAndFetchedAgain) {
  Published const published = publish(repository_);
  ASSERT_EQ(refresh(published), "");
  Files const good = read_folder(state());
  for (std::string const file : {"timestamp.json", "snapshot.json", "targets.json"}) {
    for (std::string const& garbage :
         {std::string("garbage"), std::string(), good.at(file).substr(0, 100)}) {
      write_folder(state(), {{file, garbage}});
      EXPECT_EQ(refresh(published), "") << file << " was: " << garbage;
      EXPECT_EQ(read_folder(state()), good) << file;
    }
  }
}

TEST_F(Persisted, StoredCopiesSaveTheRequest) {
  Published const published = publish(repository_);
  ASSERT_EQ(refresh(published), "");
  server_.take_requests();
  ASSERT_EQ(refresh(published), "");
  EXPECT_EQ(server_.take_requests(),
            (std::vector<std::string>{"metadata/2.root.json", "metadata/timestamp.json"}));
}

TEST_F(Persisted, ACorruptRootIsNoRootToTrust) {
  write_folder(state(), {{"root.json", "garbage"}});
  EXPECT_THAT(refresh(publish(repository_)), testing::HasSubstr("the trusted root in"));
  EXPECT_TRUE(server_.take_requests().empty());
}

}  // namespace
}  // namespace canary::tuf

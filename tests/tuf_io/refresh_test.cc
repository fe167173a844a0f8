// SPDX-License-Identifier: Apache-2.0
// The workflow against a server: what is asked for, in which order, and what each answer means.
#include "probes/tuf/refresh.h"

#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

class RefreshOverHttp : public testing::Test {
 protected:
  // One refresh of what the server has, by a client that starts from `root`.
  RefreshResult<void> refresh(std::string root) {
    TemporaryFolder folder;
    LocalStore store{folder.path(), machine_.disk};
    RefreshSettings settings{
        .metadata_url = url_of(server_.url("metadata")), .reference = kNow, .policy = policy_};
    auto work = [](Refresh& refresh, LocalStore& store,
                   std::string root) -> runtime::Task<RefreshResult<void>> {
      auto const opened = co_await store.open({});
      EXPECT_TRUE(opened);
      auto begun = co_await refresh.begin(std::move(root), {});
      if (!begun) co_return begun;
      co_return co_await refresh.update_all({});
    };
    // Everything of the client's is made and unmade on the loop.
    auto task = [](RefreshSettings settings, LocalStore& store, Machine& machine, std::string root,
                   decltype(work) work,
                   RootVersion& version) -> runtime::Task<RefreshResult<void>> {
      fetch::Client client{machine.loop.executor(), quick(), machine.services};
      Refresh refresh{std::move(settings), client, store, machine.cpu};
      auto done = co_await work(refresh, store, std::move(root));
      version.reached = refresh.trusted().root().version;
      co_return done;
    };
    return machine_.loop.block_on(
        task(std::move(settings), store, machine_, std::move(root), work, root_version_));
  }
  RefreshResult<void> refresh_from_first(Published const& published) {
    return refresh(published.root(1));
  }
  void serve(Published const& published) { server_.replace(as_files(published)); }

  struct RootVersion {
    std::uint64_t reached = 0;
  };
  Machine machine_;
  FileServer server_;
  Policy policy_;
  RootVersion root_version_;
};

Published three_roots() {
  Repository repository = a_repository(kNow);
  add_root(repository);
  add_root(repository);
  return publish(repository);
}

TEST_F(RefreshOverHttp, AsksForEachFileOnceInTheSpecificationsOrder) {
  Published const published = three_roots();
  serve(published);
  CANARY_ASSERT_OK(refresh_from_first(published));
  EXPECT_EQ(server_.take_requests(),
            (std::vector<std::string>{"metadata/2.root.json", "metadata/3.root.json",
                                      "metadata/4.root.json", "metadata/timestamp.json",
                                      "metadata/1.snapshot.json", "metadata/1.targets.json"}));
  EXPECT_EQ(root_version_.reached, 3U);
}

TEST_F(RefreshOverHttp, AsksForUnversionedFilesWithoutConsistentSnapshots) {
  Repository repository = a_repository(kNow);
  repository.roots[0].consistent_snapshot = false;
  Published const published = publish(repository);
  serve(published);
  CANARY_ASSERT_OK(refresh_from_first(published));
  EXPECT_EQ(server_.take_requests(),
            (std::vector<std::string>{"metadata/2.root.json", "metadata/timestamp.json",
                                      "metadata/snapshot.json", "metadata/targets.json"}));
}

class DefinitelyNotThere : public RefreshOverHttp, public testing::WithParamInterface<int> {};

TEST_P(DefinitelyNotThere, EndsTheRootWalk) {
  Published const published = three_roots();
  serve(published);
  server_.answer("metadata/4.root.json", GetParam());
  CANARY_ASSERT_OK(refresh_from_first(published));
}

INSTANTIATE_TEST_SUITE_P(Status, DefinitelyNotThere, testing::Values(403, 404, 410));

class NotNow : public RefreshOverHttp, public testing::WithParamInterface<int> {};

TEST_P(NotNow, IsNoEndOfTheRootWalkAndNoVerdict) {
  Published const published = three_roots();
  serve(published);
  server_.answer("metadata/3.root.json", GetParam());
  auto const result = refresh_from_first(published);
  ASSERT_FALSE(result);
  ASSERT_NE(result.error().fault(), nullptr) << sentence(result.error());
  EXPECT_EQ(result.error().fault()->kind, FetchFault::Kind::unanswered);
  EXPECT_EQ(result.error().fault()->url, server_.url("metadata/3.root.json"));
  EXPECT_EQ(root_version_.reached, 2U);
}

INSTANTIATE_TEST_SUITE_P(Status, NotNow, testing::Values(408, 429, 500, 502, 503, 504));

TEST_F(RefreshOverHttp, NamesTheUrlOfTheFileThatItRefused) {
  Published const published = three_roots();
  for (std::string const path : {"metadata/3.root.json", "metadata/timestamp.json",
                                 "metadata/1.snapshot.json", "metadata/1.targets.json"}) {
    serve(published);
    server_.serve(path, "{}");
    auto const result = refresh_from_first(published);
    ASSERT_FALSE(result) << path;
    ASSERT_NE(result.error().rejection(), nullptr) << path;
    EXPECT_EQ(result.error().url, server_.url(path));
  }
}

TEST_F(RefreshOverHttp, TakesAPageThatIsNoRootForAWrongAnswer) {
  Published const published = three_roots();
  serve(published);
  server_.serve("metadata/4.root.json", "<html>welcome</html>");
  auto const result = refresh_from_first(published);
  ASSERT_FALSE(result);
  ASSERT_NE(result.error().fault(), nullptr);
  EXPECT_EQ(result.error().fault()->kind, FetchFault::Kind::wrong);
  EXPECT_EQ(result.error().fault()->reason, probes::Reason::parse);
  EXPECT_EQ(result.error().fault()->detail,
            server_.url("metadata/4.root.json") +
                " is a page (no content type) instead of metadata; it begins with "
                "\"<html>welcome</html>\"");
}

TEST_F(RefreshOverHttp, StopsAtTheLimitOfRootRotations) {
  Repository repository = a_repository(kNow);
  for (int i = 0; i < 4; ++i) add_root(repository);
  Published const published = publish(repository);
  serve(published);
  policy_.limits.root_rotations = 3;
  auto const result = refresh_from_first(published);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().rejection()->rule, Rule::root_rotation_limit);
}

TEST_F(RefreshOverHttp, ReadsNoMoreThanTheRolesLimit) {
  Published const published = three_roots();
  serve(published);
  server_.serve("metadata/timestamp.json", std::string(100'000, ' '));
  policy_.limits.timestamp = 10'000;
  auto const result = refresh_from_first(published);
  ASSERT_FALSE(result);
  ASSERT_NE(result.error().fault(), nullptr);
  EXPECT_EQ(result.error().fault()->kind, FetchFault::Kind::wrong);
  EXPECT_EQ(result.error().fault()->reason, probes::Reason::size_limit);
}

TEST_F(RefreshOverHttp, MissesAListedFile) {
  Published published = three_roots();
  published.metadata.erase("1.snapshot.json");
  serve(published);
  auto const result = refresh_from_first(published);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().role, "snapshot");
  EXPECT_EQ(result.error().fault()->kind, FetchFault::Kind::missing);
}

TEST_F(RefreshOverHttp, VerifiesLargeMetadataOnAWorker) {
  Repository repository = a_repository(kNow);
  for (int i = 0; i < 4'000; ++i) repository.targets.files["file" + std::to_string(i)] = "x";
  Published const published = publish(repository);
  ASSERT_GT(published.metadata.at("1.targets.json").size(), std::size_t{256} << 10U);
  serve(published);
  CANARY_EXPECT_OK(refresh_from_first(published));
}

}  // namespace
}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// `tuf-client` as a program: its command line, exit status, files, and what it asks for. The
// scenarios are those of the TUF conformance suite's protocol.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>

#include "probes/tuf/digest.h"
#include "probes/tuf/role_name.h"
#include "tests/tuf_io/io_world.h"

extern char** environ;

namespace canary::tuf {
namespace {

class TufClient : public testing::Test {
 protected:
  void SetUp() override {
    // The program looks at the real clock.
    now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    repository_ = a_repository(now_);
    repository_.targets.files = {{"a.txt", "content of a"}, {"dir/b", "content of b"}};
  }
  pid_t start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), TUF_CLIENT);
    std::vector<char*> values;
    for (std::string& argument : arguments) values.push_back(argument.data());
    values.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    std::string const errors = (folder_.path() / "stderr").string();
    std::string const output = (folder_.path() / "stdout").string();
    constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), kFlags, 0644);
    posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), kFlags, 0644);
    pid_t process = -1;
    EXPECT_EQ(posix_spawn(&process, TUF_CLIENT, &actions, nullptr, values.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return process;
  }
  int end(pid_t process) {
    int status = 0;
    EXPECT_EQ(::waitpid(process, &status, 0), process);
    errors_ = read_file(folder_.path() / "stderr");
    output_ = read_file(folder_.path() / "stdout");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  int run(std::vector<std::string> arguments) { return end(start(std::move(arguments))); }

  void serve() { server_.replace(as_files(publish(repository_))); }
  std::string metadata_dir() const { return (folder_.path() / "metadata").string(); }
  std::string target_dir() const { return (folder_.path() / "targets").string(); }
  int init() {
    write_folder(folder_.path(), {{"root.json", publish(repository_).root(1)}});
    return run({"--metadata-dir", metadata_dir(), "init", (folder_.path() / "root.json").string()});
  }
  int refresh() {
    return run(
        {"--metadata-url", server_.url("metadata"), "--metadata-dir", metadata_dir(), "refresh"});
  }
  std::vector<std::string> download_arguments(std::vector<std::string> const& names) const {
    std::vector<std::string> arguments{"--metadata-url", server_.url("metadata"), "--metadata-dir",
                                       metadata_dir()};
    for (std::string const& name : names) {
      arguments.insert(arguments.end(), {"--target-name", name});
    }
    arguments.insert(arguments.end(), {"--target-dir", target_dir(), "--target-base-url",
                                       server_.url("targets"), "download"});
    return arguments;
  }
  int download(std::vector<std::string> const& names) { return run(download_arguments(names)); }
  Files targets() const {
    return std::filesystem::exists(target_dir()) ? read_folder(target_dir()) : Files{};
  }
  std::vector<std::string> target_requests() {
    auto requests = server_.take_requests();
    std::erase_if(requests, [](std::string const& path) { return !path.starts_with("targets/"); });
    return requests;
  }
  void next_version() {
    ++repository_.timestamp.version;
    ++repository_.snapshot.version;
    ++repository_.targets.version;
  }

  Time now_{};
  TemporaryFolder folder_;
  FileServer server_;
  Repository repository_;
  std::string errors_, output_;
};

TEST_F(TufClient, InitAsksNobody) {
  serve();
  EXPECT_EQ(init(), 0) << errors_;
  EXPECT_TRUE(server_.take_requests().empty());
  EXPECT_EQ(read_folder(metadata_dir()), (Files{{"root.json", publish(repository_).root(1)}}));
}

TEST_F(TufClient, InitRefusesWhatIsNoRoot) {
  write_folder(folder_.path(), {{"bad", "{}"}});
  EXPECT_EQ(run({"--metadata-dir", metadata_dir(), "init", (folder_.path() / "bad").string()}), 1);
  EXPECT_THAT(errors_, testing::StartsWith("tuf-client: "));
  EXPECT_EQ(run({"--metadata-dir", metadata_dir(), "init", "/nowhere/root.json"}), 1);
  EXPECT_EQ(errors_, "tuf-client: there is no /nowhere/root.json\n");
}

TEST_F(TufClient, RefreshAsksInOrderAndStoresEachRole) {
  serve();
  ASSERT_EQ(init(), 0);
  EXPECT_EQ(refresh(), 0) << errors_;
  EXPECT_EQ(server_.take_requests(),
            (std::vector<std::string>{"metadata/2.root.json", "metadata/timestamp.json",
                                      "metadata/1.snapshot.json", "metadata/1.targets.json"}));
  EXPECT_THAT(
      read_folder(metadata_dir()),
      testing::UnorderedElementsAre(testing::Key("root.json"), testing::Key("timestamp.json"),
                                    testing::Key("snapshot.json"), testing::Key("targets.json")));
}

TEST_F(TufClient, RefreshNeedsARoot) {
  serve();
  EXPECT_EQ(refresh(), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("init ROOT.json` first"));
  EXPECT_TRUE(server_.take_requests().empty());
}

TEST_F(TufClient, RefreshFailsOnARollback) {
  serve();
  ASSERT_EQ(init(), 0);
  next_version();
  serve();
  ASSERT_EQ(refresh(), 0) << errors_;
  --repository_.timestamp.version;
  serve();
  EXPECT_EQ(refresh(), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("timestamp_rollback (5.4.3.1): version 1, trusted is 2"));
}

TEST_F(TufClient, RefreshAbortsAtWhatIsExpired) {
  repository_.snapshot.expires = now_ - std::chrono::days{1};
  serve();
  ASSERT_EQ(init(), 0);
  EXPECT_EQ(refresh(), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("snapshot: expired (5.5.6)"));
  EXPECT_FALSE(std::filesystem::exists(metadata_dir() + "/snapshot.json"));
}

TEST_F(TufClient, DownloadStoresUnderTheEncodedPath) {
  serve();
  ASSERT_EQ(init(), 0);
  EXPECT_EQ(download({"a.txt", "dir/b"}), 0) << errors_;
  EXPECT_EQ(targets(), (Files{{"a.txt", "content of a"}, {"dir%2Fb", "content of b"}}));
}

TEST_F(TufClient, DownloadDoesNotFetchWhatIsThere) {
  serve();
  ASSERT_EQ(init(), 0);
  ASSERT_EQ(download({"a.txt"}), 0) << errors_;
  EXPECT_EQ(target_requests().size(), 1U);
  ASSERT_EQ(download({"a.txt"}), 0) << errors_;
  EXPECT_TRUE(target_requests().empty());
  write_folder(target_dir(), {{"a.txt", "content of b"}});
  ASSERT_EQ(download({"a.txt"}), 0) << errors_;
  EXPECT_EQ(targets(), (Files{{"a.txt", "content of a"}})) << "wrong content is replaced";
}

TEST_F(TufClient, DownloadKeepsTheOldFileWhereTheNewOneIsForged) {
  serve();
  ASSERT_EQ(init(), 0);
  ASSERT_EQ(download({"a.txt"}), 0) << errors_;
  repository_.targets.files["a.txt"] = "other content";
  next_version();
  serve();
  server_.serve("targets/" + sha256_hex("other content") + ".a.txt", "evil content!");
  EXPECT_EQ(download({"a.txt"}), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("target_hash_mismatch"));
  EXPECT_EQ(targets(), (Files{{"a.txt", "content of a"}})) << "and nothing half written beside it";
}

TEST_F(TufClient, DownloadStopsAtTheFirstFailure) {
  serve();
  ASSERT_EQ(init(), 0);
  EXPECT_EQ(download({"dir/b", "nowhere", "a.txt"}), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("nowhere: target_not_found"));
  EXPECT_EQ(targets(), (Files{{"dir%2Fb", "content of b"}}));
}

TEST_F(TufClient, DownloadRefreshesEvenIfTheTargetIsUnknown) {
  serve();
  ASSERT_EQ(init(), 0);
  EXPECT_EQ(download({"nowhere"}), 1);
  EXPECT_EQ(read_folder(metadata_dir()).size(), 4U);
}

TEST_F(TufClient, DownloadFindsTargetsOfRolesWithUnusualNames) {
  for (std::string const name : {"?", "#", "/delegatedrole", "../delegatedrole"}) {
    repository_.targets.delegations.push_back(
        {.name = name, .signers = {.keys = {SigningKey::ed25519(name)}}, .paths = {"*"}});
  }
  repository_.delegated["../delegatedrole"] = {
      .version = 1, .expires = now_ + kYear, .files = {{"last", "x"}}};
  serve();
  ASSERT_EQ(init(), 0);
  EXPECT_EQ(download({"last"}), 0) << errors_;
  EXPECT_EQ(targets(), (Files{{"last", "x"}}));
  Files const stored = read_folder(metadata_dir());
  EXPECT_EQ(stored.size(), 8U);
  EXPECT_TRUE(stored.contains("..%2Fdelegatedrole.json"));
  EXPECT_THAT(server_.take_requests(), testing::Contains("metadata/1.%3F.json"));
}

TEST_F(TufClient, SaysWhatItMisses) {
  EXPECT_EQ(run({}), 1);
  EXPECT_EQ(run({"refresh"}), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("--metadata-dir DIR"));
  EXPECT_EQ(run({"--metadata-dir", "d", "refresh"}), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("--metadata-url URL"));
  EXPECT_EQ(run({"--metadata-dir", "d", "--metadata-url", "ftp://h/", "refresh"}), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("--metadata-url: the scheme is \"ftp\""));
  EXPECT_EQ(run({"--metadata-dir", "d", "--metadata-url", "http://h/", "download"}), 1);
  EXPECT_THAT(errors_, testing::HasSubstr("--target-base-url URL"));
  EXPECT_EQ(run({"--metadta-dir", "d", "refresh"}), 1);
}

TEST_F(TufClient, TeachesItsUse) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(output_, testing::HasSubstr("init ROOT"));
  EXPECT_EQ(errors_, "");
}

TEST_F(TufClient, EndsAtOnceWhenItIsInterrupted) {
  serve();
  ASSERT_EQ(init(), 0);
  server_.hang("metadata/timestamp.json");
  server_.take_requests();
  pid_t const process = start(
      {"--metadata-url", server_.url("metadata"), "--metadata-dir", metadata_dir(), "refresh"});
  // The request says that it waits now.
  std::vector<std::string> seen;
  while (std::find(seen.begin(), seen.end(), "metadata/timestamp.json") == seen.end()) {
    for (std::string& path : server_.take_requests()) seen.push_back(std::move(path));
    std::this_thread::yield();
  }
  ::kill(process, SIGINT);
  EXPECT_EQ(end(process), 1);
  EXPECT_TRUE(
      errors_.starts_with("tuf-client: interrupted; it stood in http.first_byte (127.0.0.1)"))
      << errors_;
}

}  // namespace
}  // namespace canary::tuf

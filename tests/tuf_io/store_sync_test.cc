// SPDX-License-Identifier: Apache-2.0
// What outlives a power cut: the system calls of the store, in their order. A file is on disk
// before it gets its name, and the folder that names it after that; no test that only reads can
// tell.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <latch>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tuf/store.h"
#include "probes/tuf/store_folder.h"
#include "probes/tuf/trust_memory.h"
#include "tests/runtime/running_loop.h"
#include "tests/tuf/folders.h"

namespace {

// The calls of this program since the test began; nothing is noted outside of one.
std::vector<std::string>* noted = nullptr;
// Where it is set, the first so many wait for each other.
std::latch* meeting = nullptr;
constexpr int kMeeting = 3;
std::atomic<int> met = 0;

std::string name_of(int descriptor) {
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor))
      .filename()
      .string();
}

std::string name_of(char const* path) { return std::filesystem::path{path}.filename().string(); }

}  // namespace

// In place of the C library's, for the whole program.
extern "C" {

__attribute__((visibility("default"))) int fsync(int descriptor) {
  if (noted != nullptr) noted->push_back("fsync " + name_of(descriptor));
  if (meeting != nullptr && met.fetch_add(1) < kMeeting) meeting->arrive_and_wait();
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

__attribute__((visibility("default"))) int rename(char const* from, char const* to) noexcept {
  if (noted != nullptr) noted->push_back("rename " + name_of(from) + " " + name_of(to));
  return static_cast<int>(::syscall(SYS_rename, from, to));
}

}  // extern "C"

namespace canary::tuf {
namespace {

using ::testing::ElementsAre;

class StoreSync : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(folder_.path() / "trusted");
    noted = &calls_;
  }
  void TearDown() override {
    noted = nullptr;
    meeting = nullptr;
  }
  std::filesystem::path file() const { return folder_.path() / "trusted/root.json"; }

  TemporaryFolder folder_;
  std::vector<std::string> calls_;
};

TEST_F(StoreSync, PutsAFolderThatItMakesOnTheDiskFirst) {
  ASSERT_TRUE(StoreFolder::open(folder_.path() / "probes/fleet"));
  EXPECT_THAT(calls_, ElementsAre("fsync " + folder_.path().filename().string(), "fsync probes"));
}

TEST_F(StoreSync, WritesTheFileThenItsNameThenTheFolderThatHoldsIt) {
  ASSERT_TRUE(replace_file(file(), "bytes"));
  EXPECT_THAT(calls_, ElementsAre("fsync root.json.part", "rename root.json.part root.json",
                                  "fsync trusted"));
}

TEST_F(StoreSync, DoesSoAgainForAFileThatIsReplaced) {
  ASSERT_TRUE(replace_file(file(), "bytes"));
  calls_.clear();
  ASSERT_TRUE(replace_file(file(), "others"));
  EXPECT_THAT(calls_, ElementsAre("fsync root.json.part", "rename root.json.part root.json",
                                  "fsync trusted"));
}

// Three files of one run, and what a new root takes back: two syncs of the folder, not five.
TEST_F(StoreSync, WritesFilesThatCameTogetherTogether) {
  auto const folder = StoreFolder::open(folder_.path() / "trusted").value();
  std::string const bytes = "bytes";
  std::vector<StoreFolder::Change> const changes{{"root.json", &bytes},
                                                 {"timestamp.json", &bytes},
                                                 {"old.json", nullptr},
                                                 {"root.json", nullptr},
                                                 {"snapshot.json", &bytes}};
  for (auto const& done : folder->apply(changes)) EXPECT_TRUE(done);
  EXPECT_THAT(calls_, ElementsAre("fsync root.json.part", "fsync timestamp.json.part",
                                  "rename root.json.part root.json",
                                  "rename timestamp.json.part timestamp.json", "fsync trusted",
                                  "fsync trusted",  // the removal
                                  "fsync snapshot.json.part",
                                  "rename snapshot.json.part snapshot.json", "fsync trusted"));
  EXPECT_THAT(read_folder(folder_.path() / "trusted"),
              testing::UnorderedElementsAre(testing::Pair("timestamp.json", "bytes"),
                                            testing::Pair("snapshot.json", "bytes")));
}

TEST_F(StoreSync, TellsWhichOfThemTheDiskRefused) {
  auto const folder = StoreFolder::open(folder_.path() / "trusted").value();
  std::filesystem::create_directories(folder_.path() / "trusted/root.json.part/in the way");
  std::string const bytes = "bytes";
  auto const done = folder->apply({{"root.json", &bytes}, {"timestamp.json", &bytes}});
  ASSERT_EQ(done.size(), 2U);
  ASSERT_FALSE(done[0]);
  EXPECT_EQ(done[0].error().doing, "write");
  EXPECT_TRUE(done[1]);
  EXPECT_TRUE(std::filesystem::exists(folder_.path() / "trusted/timestamp.json"));
}

// A disk that takes its time with each takes those of several probes in the same time.
TEST_F(StoreSync, FilesOfDifferentProbesDoNotWaitForEachOther) {
  noted = nullptr;
  runtime::RunningLoop loop;
  runtime::Workers cpu{"cpu", 1};
  runtime::Workers disk{runtime::PoolSettings{.name = "disk", .threads = 3, .as_needed = true}};
  std::vector<std::shared_ptr<TrustMemory>> memories;
  for (char const* const name : {"a", "b", "c"}) {
    memories.push_back(std::make_shared<TrustMemory>(
        folder_.path() / name, TrustMemory::Threads{disk, cpu}, loop.executor()));
  }
  std::latch together{kMeeting};
  meeting = &together;  // a test that waits for ever is ended by ctest
  loop.block_on([](std::vector<std::shared_ptr<TrustMemory>>& all) -> runtime::Task<void> {
    auto const bytes = std::make_shared<std::string const>("bytes");
    for (auto const& each : all) each->put("root.json", bytes, {});
    for (auto const& each : all) {
      co_await each->settled(runtime::Deadline::never(), {});
    }
  }(memories));
  for (char const* const name : {"a", "b", "c"}) {
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / name / "root.json")) << name;
  }
}

}  // namespace
}  // namespace canary::tuf

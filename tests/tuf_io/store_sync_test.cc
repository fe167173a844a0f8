// SPDX-License-Identifier: Apache-2.0
// What outlives a power cut: the system calls of the store, in their order. A file is on disk
// before it gets its name, and the folder that names it after that; no test that only reads can
// tell.
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tuf/store.h"
#include "tests/tuf/folders.h"

namespace {

// The calls of this program since the test began; nothing is noted outside of one.
std::vector<std::string>* noted = nullptr;

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
  void TearDown() override { noted = nullptr; }
  std::filesystem::path file() const { return folder_.path() / "trusted/root.json"; }

  TemporaryFolder folder_;
  std::vector<std::string> calls_;
};

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

}  // namespace
}  // namespace canary::tuf

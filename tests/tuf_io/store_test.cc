// SPDX-License-Identifier: Apache-2.0
// What the store keeps, what a crash may leave, and what it says when the disk refuses.
#include "probes/tuf/store.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/runtime/running_loop.h"
#include "tests/tuf/folders.h"

namespace canary::tuf {
namespace {

class Store : public testing::Test {
 protected:
  std::filesystem::path at(std::string const& name) const { return folder_.path() / name; }
  template <class T>
  T wait(runtime::Task<T> task) {
    return loop_.block_on(std::move(task));
  }
  std::optional<std::string> read(LocalStore& store, std::string role) {
    return wait(store.read(std::move(role), 1000, {})).value();
  }

  TemporaryFolder folder_;
  runtime::RunningLoop loop_;
  runtime::Workers disk_{"disk", 1};
};

TEST_F(Store, KeepsTheVeryBytesUnderUnversionedNames) {
  LocalStore store{folder_.path() / "new" / "folder", disk_};
  ASSERT_TRUE(wait(store.open({})));
  ASSERT_TRUE(wait(store.write("root", "{ \"a\" : 1 }\n", {})));
  EXPECT_EQ(read_folder(folder_.path()), (Files{{"new/folder/root.json", "{ \"a\" : 1 }\n"}}));
  EXPECT_EQ(read(store, "root"), "{ \"a\" : 1 }\n");
  EXPECT_EQ(read(store, "timestamp"), std::nullopt);
}

TEST_F(Store, EncodesNamesOfRolesSoThatNoneLeavesTheFolder) {
  LocalStore store{folder_.path(), disk_};
  ASSERT_TRUE(wait(store.open({})));
  for (std::string const role : {"../up", "/abs", "a?b", "%2F", "."}) {
    ASSERT_TRUE(wait(store.write(role, role, {}))) << role;
    EXPECT_EQ(read(store, role), role);
  }
  EXPECT_EQ(read_folder(folder_.path()), (Files{{"..%2Fup.json", "../up"},
                                                {"%2Fabs.json", "/abs"},
                                                {"a%3Fb.json", "a?b"},
                                                {"%252F.json", "%2F"},
                                                {"..json", "."}}));
}

TEST_F(Store, ForgetsARole) {
  LocalStore store{folder_.path(), disk_};
  ASSERT_TRUE(wait(store.open({})));
  ASSERT_TRUE(wait(store.write("snapshot", "x", {})));
  ASSERT_TRUE(wait(store.forget("snapshot", {})));
  ASSERT_TRUE(wait(store.forget("snapshot", {}))) << "twice is no fault";
  EXPECT_EQ(read(store, "snapshot"), std::nullopt);
}

TEST_F(Store, SweepsWhatACrashLeftHalfWrittenAndNothingElse) {
  write_folder(folder_.path(), {{"root.json", "old"},
                                {"root.json.part", "ne"},
                                {"notes.txt", "mine"},
                                {"x.part", "mine too"}});
  LocalStore store{folder_.path(), disk_};
  ASSERT_TRUE(wait(store.open({})));
  EXPECT_EQ(read_folder(folder_.path()),
            (Files{{"root.json", "old"}, {"notes.txt", "mine"}, {"x.part", "mine too"}}));
}

TEST_F(Store, LeavesTheOldFileWhereTheNewOneCannotBeWritten) {
  write_folder(folder_.path(), {{"root.json", "old"}});
  std::filesystem::create_directory(at("root.json.part"));  // in the way of the temporary file
  LocalStore store{folder_.path(), disk_};
  ASSERT_TRUE(wait(store.open({})));
  auto const written = wait(store.write("root", "new", {}));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error(), (StoreFault{at("root.json"), "write", EISDIR}));
  EXPECT_EQ(read(store, "root"), "old");
}

TEST_F(Store, SaysWhereAndWhyItCannotWrite) {
  std::ofstream(at("file")) << "x";
  LocalStore store{at("file") / "sub", disk_};
  auto const open = wait(store.open({}));
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error(), (StoreFault{at("file") / "sub", "create", ENOTDIR}));
  EXPECT_EQ(sentence(open.error()),
            "cannot create " + (at("file") / "sub").string() + ": Not a directory");
  // It then remembers nothing, and nobody has to ask first.
  EXPECT_FALSE(store.remembers());
  EXPECT_TRUE(wait(store.write("root", "x", {})));
  EXPECT_EQ(read(store, "root"), std::nullopt);
}

TEST_F(Store, RefusesAFileThatIsTooLongOrNone) {
  write_folder(folder_.path(), {{"root.json", std::string(1001, 'x')}});
  std::filesystem::create_directory(at("timestamp.json"));
  LocalStore store{folder_.path(), disk_};
  ASSERT_TRUE(wait(store.open({})));
  EXPECT_EQ(wait(store.read("root", 1000, {})).error().error, EFBIG);
  EXPECT_EQ(wait(store.read("timestamp", 1000, {})).error().error, EISDIR);
  EXPECT_EQ(wait(store.read("root", 1001, {})).value()->size(), 1001U);
}

TEST_F(Store, IsOneProcessAtATime) {
  LocalStore first{folder_.path(), disk_};
  ASSERT_TRUE(wait(first.open({})));
  LocalStore second{folder_.path(), disk_};
  auto const refused = wait(second.open({}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(sentence(refused.error()),
            "cannot lock " + folder_.path().string() + ": another process is using this folder");
}

TEST_F(Store, GivesTheFolderBack) {
  auto first = std::make_unique<LocalStore>(folder_.path(), disk_);
  ASSERT_TRUE(wait(first->open({})));
  first.reset();
  LocalStore second{folder_.path(), disk_};
  EXPECT_TRUE(wait(second.open({})));
}

TEST_F(Store, WithoutAFolderRemembersNothing) {
  LocalStore store{{}, disk_};
  ASSERT_TRUE(wait(store.open({})));
  ASSERT_TRUE(wait(store.write("root", "x", {})));
  EXPECT_EQ(read(store, "root"), std::nullopt);
}

TEST_F(Store, DoesNotTouchAFileThatIsTheSame) {
  LocalStore store{folder_.path(), disk_};
  ASSERT_TRUE(wait(store.open({})));
  ASSERT_TRUE(wait(store.write("root", "same", {})));
  auto const hard_link = at("link");
  std::filesystem::create_hard_link(at("root.json"), hard_link);
  ASSERT_TRUE(wait(store.write("root", "same", {})));
  EXPECT_TRUE(std::filesystem::equivalent(at("root.json"), hard_link));
  ASSERT_TRUE(wait(store.write("root", "other", {})));
  EXPECT_FALSE(std::filesystem::equivalent(at("root.json"), hard_link));
  EXPECT_EQ(read_file(hard_link), "same") << "replaced, never written into";
}

}  // namespace
}  // namespace canary::tuf

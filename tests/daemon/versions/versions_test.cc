// SPDX-License-Identifier: Apache-2.0
#include "daemon/versions/versions.h"

#include <gmock/gmock.h>

#include "probes/openpgp/rnp_library.h"

namespace canary::daemon {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Versions, FindNoConflictInThisProcess) {
  auto const objects = loaded_objects();
  EXPECT_THAT(conflicts(components(objects), objects), IsEmpty());
}

TEST(Versions, SeeThisProgramsBuildId) { EXPECT_THAT(loaded_objects()[0].build_id.size(), 40U); }

TEST(Versions, NameBothFilesOfALibraryThatIsLoadedTwice) {
  std::vector<LoadedObject> const objects{{"/lib/libssl.so.1.1", "", ""},
                                          {"/opt/libssl.so.3", "", ""}};
  EXPECT_THAT(conflicts({}, objects),
              ElementsAre(AllOf(HasSubstr("/lib/libssl.so.1.1"), HasSubstr("/opt/libssl.so.3"))));
}

TEST(Versions, RefuseALibraryThatBringsItsOwnAsio) {
  std::vector<LoadedObject> const objects{
      {"/opt/libother.so", "", "_ZN5boost4asio6detail9scheduler"}};
  EXPECT_THAT(conflicts({}, objects),
              ElementsAre(AllOf(HasSubstr("canaryd has Boost.Asio 1."),
                                HasSubstr("/opt/libother.so brings its own"))));
}

TEST(Versions, RefuseAnotherBoostThanTheOneCompiledAgainst) {
  std::vector<LoadedObject> const objects{{"/lib/libboost_json.so.1.74.0", "", ""}};
  EXPECT_THAT(conflicts({}, objects), ElementsAre(AllOf(HasSubstr("compiled against Boost 1."),
                                                        HasSubstr("libboost_json.so.1.74.0"))));
}

TEST(Versions, RefuseAnotherMajorVersionThanTheOneCompiledAgainst) {
  std::vector<Component> const components{{"OpenSSL", "3.0.17", "1.1.1", "libssl.so"}};
  EXPECT_THAT(conflicts(components, {}),
              ElementsAre(AllOf(HasSubstr("OpenSSL 3.0.17"), HasSubstr("1.1.1"))));
}

TEST(Versions, TellLibraryNamesFromTheirVersions) {
  EXPECT_EQ(split_library_name("/lib/libssl.so.3"), (LibraryName{"libssl", "3"}));
  EXPECT_EQ(split_library_name("libboost_json.so.1.81.0"),
            (LibraryName{"libboost_json", "1.81.0"}));
  EXPECT_EQ(split_library_name("canaryd"), (LibraryName{"canaryd", ""}));
}

// What is loaded later than at the start must fit as well.
TEST(Versions, FitWithTheLibraryThatIsLoadedWhenKeysAreRead) {
  ASSERT_NE(openpgp::load_rnp(), nullptr);
  auto const objects = loaded_objects();
  auto const all = components(objects);
  EXPECT_THAT(conflicts(all, objects), ElementsAre());
  EXPECT_THAT(version_text(all, objects), HasSubstr("librnp.so.0"));
}

TEST(Versions, PrintEveryComponent) {
  auto const objects = loaded_objects();
  auto const text = version_text(components(objects), objects);
  EXPECT_THAT(text, AllOf(HasSubstr("Boost.Asio"), HasSubstr("c-ares"), HasSubstr("OpenSSL")));
}

}  // namespace
}  // namespace canary::daemon

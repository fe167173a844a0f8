// SPDX-License-Identifier: Apache-2.0
// file: URLs behave like http: ones.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include <gmock/gmock.h>

#include "tests/fetch/client_fixture.h"

namespace canary::fetch {
namespace {

class Files : public ClientTest {
 protected:
  std::string file_url(std::string const& name) { return "file://" + (folder() / name).string(); }
};

TEST_F(Files, AreReadWhole) {
  std::string text(900'001, 'x');
  text[600'000] = 'y';
  folder_.write("a [1].json", text);
  auto const result = get("file://" + folder().string() + "/a%20%5B1%5D.json");
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result.value().body == text);
  EXPECT_EQ(result.value().length, text.size());
  EXPECT_EQ(result.value().times.total(),
            result.value().times[Phase::queue] + result.value().times[Phase::body]);
}

TEST_F(Files, SayWhenTheyWereLastChanged) {
  auto const path = folder_.write("a", "x");
  std::array const times{::timespec{.tv_sec = 1, .tv_nsec = 0},
                         ::timespec{.tv_sec = 1'700'000'000, .tv_nsec = 999'999'999}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  auto const result = get(file_url("a"));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result.value().last_modified,
            std::chrono::sys_seconds{std::chrono::seconds{1'700'000'000}});
}

TEST_F(Files, OfExactlyOnePieceAndEmptyOnesAreReadWhole) {
  for (std::size_t const size : {std::size_t{0}, std::size_t{256 * 1024}}) {
    folder_.write("a", std::string(size, 'x'));
    auto const result = get(file_url("a"));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result.value().body.size(), size);
  }
}

TEST_F(Files, ThatAreMissingAreDefinitelyAbsent) {
  auto const result = get(file_url("2.root.json"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::status);
  EXPECT_TRUE(result.error().absent());
  EXPECT_TRUE(result.error().answered);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("2.root.json"));
}

TEST_F(Files, ThatAreFoldersOrPipesAreRefused) {
  ASSERT_EQ(::mkfifo((folder() / "pipe").c_str(), 0600), 0);
  for (auto const* name : {"", "pipe"}) {
    auto const result = get(file_url(name));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, FaultKind::file) << name;
    EXPECT_FALSE(result.error().absent());
  }
}

TEST_F(Files, ThatMayNotBeReadAreNotTakenForMissing) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  std::filesystem::permissions(folder_.write("a", "x"), std::filesystem::perms::none);
  auto const result = get(file_url("a"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, FaultKind::file);
}

TEST_F(Files, KeepToTheSameLimits) {
  folder_.write("a", "12345");
  EXPECT_EQ(get(Request{url(file_url("a")), 4}).error().kind, FaultKind::too_large);
  EXPECT_EQ(get(Request{url(file_url("a")), 9, 6}).error().kind, FaultKind::wrong_length);
  EXPECT_TRUE(get(Request{url(file_url("a")), 5, 5}));
}

}  // namespace
}  // namespace canary::fetch

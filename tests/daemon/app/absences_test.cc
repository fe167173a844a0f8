// SPDX-License-Identifier: Apache-2.0
// For how long nobody has had a probe, and what is due then.
#include "daemon/app/absences.h"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/temp_dir.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr auto kDay = std::chrono::seconds{24h};

class Absent : public ::testing::Test {
 protected:
  Absent() {
    settings_.results = 30 * kDay;
    settings_.trust = 365 * kDay;
    for (auto const* file : {"results/a.json", "results/b%3A1.json", "probes/a/root.json",
                             "probes/b%3A1/root.json", "probes/c/root.json"}) {
      dir_.write(file, "{}");
    }
  }
  AbsencePlaces places() const {
    return {.results = dir_.path() / "results",
            .trust = dir_.path() / "probes",
            .record = dir_.path() / "removed.json"};
  }
  // As after a restart: what was counted is read.
  AbsenceLook look(std::vector<std::string> const& known, std::chrono::seconds since) {
    auto seen = look_for_absent(places(), known, std::nullopt, since, settings_);
    if (seen) return std::move(seen).value();
    ADD_FAILURE() << seen.error();
    return {};
  }

  config::TempDir dir_;
  config::RemovedProbesSettings settings_;
};

TEST_F(Absent, CountsFromWhenItIsSeenFirst) {
  auto const first = look({"a"}, 400 * kDay);
  EXPECT_THAT(first.absent, ElementsAre(Pair("b:1", 0s), Pair("c", 0s)));
  EXPECT_THAT(first.results, IsEmpty()) << "however long canaryd ran before";
  EXPECT_THAT(first.trust, IsEmpty());
  auto const second = look({"a"}, 29 * kDay);
  EXPECT_THAT(second.absent, ElementsAre(Pair("b:1", 29 * kDay), Pair("c", 29 * kDay)));
  EXPECT_THAT(second.results, IsEmpty());
}

TEST_F(Absent, KeepsTrustLongerThanResults) {
  look({"a"}, 0s);
  auto const month = look({"a"}, 30 * kDay);
  EXPECT_THAT(month.results, ElementsAre("b:1"));
  EXPECT_THAT(month.trust, IsEmpty());
  fs::remove(dir_.path() / "results" / "b%3A1.json");
  auto const almost = look({"a"}, 335 * kDay - 1s);
  EXPECT_THAT(almost.results, IsEmpty());
  EXPECT_THAT(almost.trust, IsEmpty());
  EXPECT_THAT(look({"a"}, 1s).trust, ElementsAre("b:1", "c"));
}

// A list that shrank by mistake.
TEST_F(Absent, ForgetsTheCountOfOneThatComesBack) {
  look({"a"}, 0s);
  look({"a"}, 29 * kDay);
  EXPECT_THAT(look({"a", "b:1", "c"}, kDay).absent, IsEmpty());
  EXPECT_THAT(look({"a"}, 300 * kDay).absent, ElementsAre(Pair("b:1", 0s), Pair("c", 0s)));
}

TEST_F(Absent, TouchesNothingThatNoProbeIsCalledBy) {
  dir_.write("results/notes.txt", "");
  dir_.write("results/.json", "");
  dir_.write("results/a b.json", "");
  dir_.write("results/d:1.json", "");  // canaryd calls it otherwise
  dir_.write("probes/README", "");
  fs::create_directory_symlink("/", dir_.path() / "probes" / "link");
  EXPECT_THAT(look({"a"}, 0s).absent, ElementsAre(Pair("b:1", 0s), Pair("c", 0s)));
}

TEST_F(Absent, BeginsAnewWhereTheRecordIsDamaged) {
  look({"a"}, 0s);
  for (auto const* text : {"", "{", "{\"format\": 2}", "{\"format\":1,\"absent_seconds\":[]}",
                           "{\"format\":1,\"absent_seconds\":{\"c\":-1}}"}) {
    dir_.write("removed.json", text);
    auto const seen = look({"a"}, 400 * kDay);
    EXPECT_THAT(seen.troubles, ElementsAre(HasSubstr("removed.json"))) << text;
    EXPECT_THAT(seen.trust, IsEmpty()) << text;
  }
  EXPECT_THAT(look({"a"}, kDay).troubles, IsEmpty()) << "it was written again";
}

// A disk that says nothing of its files says not that they are gone.
TEST_F(Absent, CountsNothingWhereAFolderCannotBeRead) {
  look({"a"}, 0s);
  fs::rename(dir_.path() / "results", dir_.path() / "elsewhere");
  dir_.write("results", "a file");
  auto const seen = look_for_absent(places(), {"a"}, std::nullopt, kDay, settings_);
  ASSERT_FALSE(seen);
  EXPECT_THAT(seen.error(), HasSubstr("cannot read"));
  fs::remove(dir_.path() / "results");
  EXPECT_THAT(look({"a"}, 2 * kDay).absent,
              ElementsAre(Pair("b:1", 2 * kDay), Pair("c", 2 * kDay)));
}

// Then it is known in memory alone.
TEST_F(Absent, GoesOnWhereTheRecordCannotBeWritten) {
  fs::create_directories(dir_.path() / "removed.json" / "x");
  auto const first = look_for_absent(places(), {"a"}, Absences{}, 0s, settings_);
  ASSERT_TRUE(first);
  EXPECT_THAT(first.value().troubles, ElementsAre(HasSubstr("removed.json")));
  auto const later = look_for_absent(places(), {"a"}, first.value().absent, 365 * kDay, settings_);
  ASSERT_TRUE(later);
  EXPECT_THAT(later.value().trust, ElementsAre("b:1", "c"));
}

}  // namespace
}  // namespace canary::daemon

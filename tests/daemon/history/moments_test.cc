// SPDX-License-Identifier: Apache-2.0
// What was so at a moment: single runs, the findings then, the versions that were seen.
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/history/schema.h"
#include "daemon/history/store.h"
#include "daemon/history/timeline.h"
#include "tests/support/temporary_folder.h"

namespace canary::history {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Time kNoon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + 12h};
using Kind = ChangeEntry::Kind;

ChangeEntry change(Time at, Kind kind, std::string subject, Severity severity = Severity::critical,
                   std::string message = "m") {
  return {.probe = "demo",
          .at = at,
          .kind = kind,
          .finding = {.check = "expiry",
                      .subject = std::move(subject),
                      .reason = "expired",
                      .message = std::move(message),
                      .severity = severity}};
}
VersionEntry seen(Time at, std::int64_t version, std::int64_t was, std::string thing = "timestamp",
                  std::string probe = "demo") {
  return {.probe = std::move(probe),
          .thing = std::move(thing),
          .at = at,
          .version = version,
          .was = was};
}
RunEntry run(Time ended, std::string probe = "demo") {
  return {.probe = std::move(probe), .url = "u", .ended = ended, .duration = 250ms};
}
Query of(std::string probe) {
  return {.probe = std::move(probe), .since = kNoon - 24h * 900, .until = kNoon + 24h * 900};
}

class Moments : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "history.db"; }
  void write(std::vector<Entry> const& batch) {
    auto const written = store_->write(batch);
    ASSERT_TRUE(written) << written.error().text;
  }
  void expect_runs();
  std::vector<std::string> open_at(Time at) {
    std::vector<std::string> subjects;
    auto const found = store_->findings_at("demo", at).value();
    for (auto const& open : found) {
      subjects.push_back(open.finding.subject);
    }
    return subjects;
  }

  support::TemporaryFolder folder_;
  std::optional<Store> store_{std::in_place, file(), Bounds{}};
};

TEST_F(Moments, OfARunAreFoundByTheMomentAtWhichItEndedAndTheRunBehindIt) {
  write({run(kNoon), run(kNoon + 1min), run(kNoon + 30s, "other")});
  expect_runs();
  ASSERT_TRUE(store_->thin(kNoon + 2h));  // to where the older ones are
  expect_runs();
  write({run(kNoon + 3h)});
  EXPECT_EQ(store_->run_after("demo", kNoon + 1min).value(), kNoon + 3h);
}

void Moments::expect_runs() {
  auto const found = store_->run_at("demo", kNoon).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->duration, 250ms);
  EXPECT_FALSE(store_->run_at("demo", kNoon + 1ms).value());
  EXPECT_FALSE(store_->run_at("other", kNoon).value());
  EXPECT_EQ(store_->run_after("demo", kNoon).value(), kNoon + 1min);
  EXPECT_FALSE(store_->run_after("demo", kNoon + 1min).value());
}

TEST_F(Moments, HaveTheFindingsThatWereOpenThenTheWorstFirst) {
  write({change(kNoon, Kind::opened, "a", Severity::warning), change(kNoon, Kind::opened, "b"),
         change(kNoon + 1min, Kind::closed, "b"),
         change(kNoon + 2min, Kind::changed, "a", Severity::critical, "worse"),
         change(kNoon + 2min, Kind::opened, "c", Severity::unknown)});
  EXPECT_THAT(open_at(kNoon - 1ms), IsEmpty());
  EXPECT_THAT(open_at(kNoon), ElementsAre("b", "a"));
  EXPECT_THAT(open_at(kNoon + 1min), ElementsAre("a"));
  auto const later = store_->findings_at("demo", kNoon + 3min).value();
  ASSERT_THAT(later, SizeIs(2));
  EXPECT_EQ(later[0].finding.message, "worse");
  EXPECT_EQ(later[0].first, kNoon) << "when it opened, not when it changed";
  EXPECT_EQ(later[1].finding.subject, "c");
}

TEST_F(Moments, AFindingThatOpensAgainIsOpenSinceThen) {
  write({change(kNoon, Kind::opened, "a"), change(kNoon + 1min, Kind::closed, "a"),
         change(kNoon + 2min, Kind::opened, "a")});
  auto const found = store_->findings_at("demo", kNoon + 2min).value();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].first, kNoon + 2min);
}

TEST_F(Moments, VersionsAreKeptAsTheyChanged) {
  write({seen(kNoon, 41, 0), seen(kNoon + 1min, 42, 41), seen(kNoon, 7, 0, "root"),
         seen(kNoon, 9, 0, "root", "other")});
  EXPECT_THAT(store_->versions(of("demo")).value().entries, SizeIs(3));
  EXPECT_THAT(store_->versions(of("")).value().entries, SizeIs(4));
  EXPECT_THAT(store_->versions_at("demo", kNoon + 30s).value(),
              ElementsAre(seen(kNoon, 7, 0, "root"), seen(kNoon, 41, 0)));
  EXPECT_EQ(store_->versions_at("demo", kNoon + 1min).value()[1], seen(kNoon + 1min, 42, 41));
  EXPECT_THAT(store_->versions_at("demo", kNoon - 1s).value(), IsEmpty());
  EXPECT_EQ(store_->first_above("demo", "timestamp", 40).value(), kNoon);
  EXPECT_EQ(store_->first_above("demo", "timestamp", 41).value(), kNoon + 1min);
  EXPECT_FALSE(store_->first_above("demo", "timestamp", 42).value());
}

TEST_F(Moments, VersionsStandInTheTimelineWhereTheyAreAskedFor) {
  write({seen(kNoon, 42, 41)});
  EXPECT_THAT(timeline(*store_, of("demo")).value().entries, IsEmpty());
  auto query = of("demo");
  query.versions = true;
  auto const found = timeline(*store_, query).value().entries;
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, "version_seen");
  EXPECT_EQ(found[0].finding.subject, "timestamp");
  EXPECT_EQ(found[0].finding.message, "version 42, after 41");
  EXPECT_FALSE(has_finding(found[0]));
}

TEST_F(Moments, VersionsThatAreOlderThanTheyAreToBeKeptGo) {
  write({seen(kNoon - 24h * 500, 1, 0), seen(kNoon, 2, 1)});
  ASSERT_TRUE(store_->thin(kNoon));
  EXPECT_THAT(store_->versions(of("demo")).value().entries, ElementsAre(seen(kNoon, 2, 1)));
}

TEST_F(Moments, OfTooManyVersionsTheOldestGo) {
  std::vector<Entry> many;
  for (int i = 0; i < 20'010; ++i) many.emplace_back(seen(kNoon + i * 1s, i + 2, i + 1));
  write(many);
  while (store_->thin(kNoon + 24h).value()) {
  }
  auto query = of("demo");
  query.most = 30'000;
  auto const left = store_->versions(query).value().entries;
  ASSERT_THAT(left, SizeIs(20'000));
  EXPECT_EQ(left.back().version, 20'011) << "the newest stay";
}

// A file as the first version of the tables had it.
class OfTheFirstVersion : public Moments {
 protected:
  OfTheFirstVersion() {
    EXPECT_TRUE(store_->write({run(kNoon), change(kNoon, Kind::opened, "a")}));
    // An hour later its run is where that version keeps it.
    EXPECT_TRUE(store_->thin(kNoon + 2h));
    store_.reset();
    auto database = Database::open(file(), Database::Access::write).value();
    EXPECT_TRUE(
        database.script("DROP TABLE versions; DROP TABLE recent_runs; PRAGMA user_version = 1;"));
  }
  std::int64_t version() {
    auto database = Database::open(file(), Database::Access::read).value();
    return schema_version(database).value();
  }
};

TEST_F(OfTheFirstVersion, AFileGainsTheNewTablesAndKeepsWhatItHas) {
  ASSERT_EQ(version(), 1);
  store_.emplace(file(), Bounds{});
  write({seen(kNoon + 1min, 42, 41)});
  EXPECT_EQ(version(), kSchemaVersion);
  EXPECT_THAT(store_->take_notices(), IsEmpty()) << "it is not set aside";
  EXPECT_TRUE(store_->run_at("demo", kNoon).value());
  EXPECT_THAT(store_->changes(of("demo")).value().entries, SizeIs(1));
  EXPECT_THAT(store_->versions(of("demo")).value().entries,
              ElementsAre(seen(kNoon + 1min, 42, 41)));
}

TEST_F(OfTheFirstVersion, AFileIsReadAsItIsByWhoMayNotWrite) {
  auto reading = Store::reading(file());
  auto query = of("demo");
  query.versions = true;
  auto const found = timeline(reading, query);
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_THAT(found.value().entries, ElementsAre(Field(&Moment::kind, "finding_opened")));
  EXPECT_EQ(version(), 1);
}

}  // namespace
}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// The history on disk: what is written is read again, over restarts, within bounds, whatever
// happens to the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/history/store_fixture.h"

namespace canary::history {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::ElementsAre;

TEST_F(StoreTest, GivesRunsInOrderOfTimeAndSaysWhereThereAreMore) {
  write({run(kNoon), run(kNoon + 1min), run(kNoon + 2min), run(kNoon, Severity::ok, "other")});
  auto const found =
      store().runs({.probe = "demo", .since = kNoon, .until = kNoon + 1h, .most = 2}).value();

  ASSERT_THAT(found.entries, SizeIs(2));
  EXPECT_EQ(found.entries[0].ended, kNoon + 1min);
  EXPECT_EQ(found.entries[1].ended, kNoon + 2min);
  EXPECT_EQ(found.entries[1].duration, 250ms);
  EXPECT_TRUE(found.more);
  EXPECT_FALSE(store().runs(all()).value().more);
}

TEST_F(StoreTest, AnIncidentGoesFromTheFirstFailedRunToTheFirstThatIsWell) {
  write({run(kNoon), run(kNoon + 1min, Severity::unknown), run(kNoon + 2min, Severity::critical),
         run(kNoon + 3min, Severity::unknown), run(kNoon + 4min, Severity::warning)});
  auto const found = incidents();

  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].opened, kNoon + 1min);
  EXPECT_EQ(found[0].closed, kNoon + 4min);
  EXPECT_EQ(found[0].worst, Severity::critical);
  EXPECT_EQ(found[0].runs, 3);
  EXPECT_EQ(found[0].url, "https://host/");
}

TEST_F(StoreTest, AnIncidentHasAllItsCausesEachFromWhenUntilWhen) {
  write({run(kNoon, Severity::critical),
         change(kNoon, ChangeEntry::Kind::opened, words("timestamp")),
         change(kNoon, ChangeEntry::Kind::opened, words("a target", Severity::warning))});
  write({run(kNoon + 1min, Severity::critical),
         change(kNoon + 1min, ChangeEntry::Kind::opened, words("snapshot"))});
  write({run(kNoon + 2min, Severity::critical),
         change(kNoon + 2min, ChangeEntry::Kind::closed, words("snapshot"))});
  auto const found = incidents();

  ASSERT_THAT(found, SizeIs(1));
  ASSERT_THAT(found[0].causes, SizeIs(2)) << "a warning is no cause";
  EXPECT_EQ(found[0].causes[0].finding, words("timestamp"));
  EXPECT_EQ(found[0].causes[0].ended, std::nullopt);
  EXPECT_EQ(found[0].causes[1].finding.subject, "snapshot");
  EXPECT_EQ(found[0].causes[1].first, kNoon + 1min);
  EXPECT_EQ(found[0].causes[1].ended, kNoon + 2min);
}

TEST_F(StoreTest, ACauseThatBecomesAnotherEndsAndTheOtherBegins) {
  write({run(kNoon, Severity::critical)});
  auto other = words("timestamp", Severity::critical, "signature");
  write({change(kNoon + 1min, ChangeEntry::Kind::changed, other)});
  auto const found = incidents();

  ASSERT_THAT(found[0].causes, SizeIs(2));
  EXPECT_EQ(found[0].causes[0].finding.reason, "expired");
  EXPECT_EQ(found[0].causes[0].ended, kNoon + 1min);
  EXPECT_EQ(found[0].causes[1].finding.reason, "signature");
  EXPECT_EQ(found[0].causes[1].ended, std::nullopt);
}

TEST_F(StoreTest, ACauseStaysAsItBegan) {
  write({run(kNoon, Severity::critical)});
  auto later = words("timestamp");
  later.message = "the same, and an hour later";
  write({change(kNoon + 1h, ChangeEntry::Kind::changed, later)});
  auto const found = incidents();

  ASSERT_THAT(found[0].causes, SizeIs(1));
  EXPECT_EQ(found[0].causes[0].finding, words("timestamp"));
  EXPECT_EQ(found[0].causes[0].ended, std::nullopt) << "it is still there";
}

TEST_F(StoreTest, AnIncidentGoesOnOverARestart) {
  write({run(kNoon, Severity::critical)});
  restart();
  write({run(kNoon + 1h, Severity::critical), run(kNoon + 2h)});
  auto const found = incidents();

  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].opened, kNoon);
  EXPECT_EQ(found[0].closed, kNoon + 2h);
  ASSERT_THAT(found[0].causes, SizeIs(1));
  EXPECT_EQ(found[0].causes[0].first, kNoon);
  EXPECT_EQ(found[0].causes[0].ended, kNoon + 2h);
}

TEST_F(StoreTest, AnIncidentIsFoundBySpanThatItOverlaps) {
  write({run(kNoon, Severity::critical), run(kNoon + 10h)});
  auto const during = [&](Time since, Time until) {
    return store().incidents({.probe = "demo", .since = since, .until = until}).value().entries;
  };
  EXPECT_THAT(during(kNoon + 2h, kNoon + 3h), SizeIs(1));
  EXPECT_THAT(during(kNoon + 11h, kNoon + 12h), IsEmpty());
  EXPECT_THAT(during(kNoon - 2h, kNoon), IsEmpty());
}

TEST_F(StoreTest, CountsRunsAndMissedOnesByHourAndDayOverBatches) {
  write({run(kNoon), run(kNoon + 1min, Severity::critical),
         MissedEntry{.probe = "demo", .why = "overlap", .at = kNoon + 2min, .count = 3}});
  write({run(kNoon + 3min), run(kNoon + 2h)});
  auto const hours = store().spans(all(), Store::Width::hour).value().entries;
  auto const days = store().spans(all(), Store::Width::day).value().entries;

  ASSERT_THAT(hours, SizeIs(2));
  EXPECT_EQ(hours[0].from, kNoon);
  EXPECT_THAT(hours[0].runs, ElementsAre(2, 0, 1, 0));
  EXPECT_EQ(hours[0].missed, 3);
  EXPECT_EQ(hours[0].total, 750ms);
  ASSERT_THAT(days, SizeIs(1));
  EXPECT_EQ(days[0].from, kNoon - 12h);
  EXPECT_THAT(days[0].runs, ElementsAre(3, 0, 1, 0));
}

TEST_F(StoreTest, KeepsTextsAsTheyAre) {
  auto odd = words("it's \"a\" target; DROP TABLE runs; --\xc3\xa9");
  write({change(kNoon, ChangeEntry::Kind::opened, odd),
         EventEntry{.kind = "start", .subject = "0.1", .detail = "a'b", .at = kNoon}});
  EXPECT_EQ(store().changes(all()).value().entries.at(0).finding, odd);
  EXPECT_EQ(store().events(all()).value().entries.at(0).detail, "a'b");
}

TEST_F(StoreTest, AnIncidentHasSoManyCausesAndTheKnownOnesGoOn) {
  write({run(kNoon, Severity::critical)});
  std::vector<Entry> batch;
  for (int i = 0; i < 300; ++i) {
    batch.emplace_back(change(kNoon, ChangeEntry::Kind::opened, words("s" + std::to_string(i))));
  }
  write(batch);
  write({change(kNoon + 30min, ChangeEntry::Kind::closed, words("timestamp"))});
  write({run(kNoon + 1h, Severity::critical)});
  auto const found = store().incidents(all());
  ASSERT_TRUE(found);
  ASSERT_THAT(found.value().entries, SizeIs(1));
  auto const& causes = found.value().entries[0].causes;
  EXPECT_THAT(causes, SizeIs(kMostCauses));
  auto const known = std::ranges::find(causes, std::string{"timestamp"},
                                       [](auto const& cause) { return cause.finding.subject; });
  ASSERT_NE(known, causes.end());
  EXPECT_EQ(known->ended, std::nullopt);
}

}  // namespace
}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// What is kept for how long, where runs are kept until then, and how long a question may read.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/history/store_fixture.h"

namespace canary::history {
namespace {

TEST_F(StoreTest, RunsReadTheSameBeforeAndAfterTheyAreBroughtToTheirPlaces) {
  write({run(kNoon), run(kNoon + 1min, Severity::critical),
         run(kNoon + 1min, Severity::ok, "other"), run(kNoon + 1h, Severity::unknown),
         MissedEntry{.probe = "demo", .why = "overlap", .at = kNoon, .count = 2}});
  auto const look = [&] {
    std::string text;
    for (auto const& probe : {"", "demo", "other", "stranger"}) {
      Query const of{.probe = probe, .since = kNoon - 24h, .until = kNoon + 24h};
      auto const runs = store().runs(of).value().entries;
      for (auto const& each : runs) {
        text += std::string{probe} + " ran: " + each.probe + " " +
                std::to_string((each.ended - kNoon).count()) + " " +
                std::to_string(each.duration.count()) + " " +
                (each.telling ? each.telling->reason : "ok") + "\n";
      }
      for (auto const width : {Store::Width::hour, Store::Width::day}) {
        auto const spans = store().spans(of, width).value().entries;
        for (auto const& each : spans) {
          text += std::string{probe} + " counted: " + each.probe + " " +
                  std::to_string((each.from - kNoon).count());
          for (auto const number : each.runs) text += " " + std::to_string(number);
          text += " missed " + std::to_string(each.missed) + " total " +
                  std::to_string(each.total.count()) + " longest " +
                  std::to_string(each.longest.count()) + "\n";
        }
      }
    }
    return text;
  };
  auto const count = [&](std::string const& table) {
    auto database = Database::open(file(), Database::Access::read).value();
    return database.number("SELECT count(*) FROM " + table).value();
  };
  auto const before = look();
  store().thin(kNoon + 30min).value();
  EXPECT_EQ(count("recent_runs"), 4) << "the oldest has not waited for long";
  store().thin(kNoon + 61min).value();

  EXPECT_EQ(look(), before);
  EXPECT_THAT(before, HasSubstr("demo counted: demo 0 1 0 1 0 missed 2 total 500 longest 250\n"));
  EXPECT_THAT(before, HasSubstr(" ran: other 60000 250 ok\n"));
  EXPECT_THAT(before, ::testing::Not(HasSubstr("stranger")));
  EXPECT_EQ(count("recent_runs"), 0);
  EXPECT_EQ(count("runs"), 4);

  write({run(kNoon + 2h)});
  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(5)) << "of both";
}

TEST_F(StoreTest, RunsAreBroughtToTheirPlacesSoonerWhereThereAreMany) {
  std::vector<Entry> batch;
  for (int i = 0; i < 100'000; ++i) batch.emplace_back(run(kNoon + 1ms * i));
  write(batch);
  store().thin(kNoon + 2min).value();
  auto database = Database::open(file(), Database::Access::read).value();
  EXPECT_EQ(database.number("SELECT count(*) FROM recent_runs").value(), 0);
  EXPECT_EQ(database.number("SELECT sum(ok) FROM days").value(), 100'000);
}

// A statement is given up here after some thousand steps: it cannot go over the rows of all.
TEST_F(StoreTest, NobodyGoesOverTheRunsOfProbesThatAreNotConcerned) {
  std::vector<Entry> batch;
  for (int i = 0; i < 100'000; ++i) batch.emplace_back(run(kNoon + 1min * i));
  batch.emplace_back(run(kNoon, Severity::critical, "other"));
  write(batch);
  store().thin(kNoon + 24h).value();
  Query const of_other{.probe = "other", .since = kNoon - 1h, .until = kNoon + 24h * 100};
  store().until(std::chrono::steady_clock::now() - 1s);

  EXPECT_TRUE(store().thin(kNoon + 25h)) << "there is nothing to thin";
  store().until(std::nullopt);
  batch.clear();
  for (int i = 0; i < 10'000; ++i) {
    batch.emplace_back(change(kNoon + 1min * i, ChangeEntry::Kind::opened, words("timestamp")));
  }
  write(batch);
  store().until(std::chrono::steady_clock::now() - 1s);
  EXPECT_THAT(store().runs(of_other).value().entries, SizeIs(1));
  EXPECT_THAT(store().incidents(of_other).value().entries, SizeIs(1));
  EXPECT_THAT(store().changes(of_other).value().entries, IsEmpty());
  EXPECT_THAT(store().spans(of_other, Store::Width::hour).value().entries, SizeIs(1));
  EXPECT_THAT(store().spans(of_other, Store::Width::day).value().entries, SizeIs(1));
}

TEST_F(StoreTest, ThinsRunsFirstAndKeepsWhatBarsShow) {
  write({run(kNoon - 24h * 300), run(kNoon - 24h * 8, Severity::critical), run(kNoon)});
  EXPECT_FALSE(store().thin(kNoon).value());

  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(1));
  EXPECT_THAT(store().spans(all(), Store::Width::hour).value().entries, SizeIs(2));
  EXPECT_THAT(store().spans(all(), Store::Width::day).value().entries, SizeIs(3));
}

TEST_F(StoreTest, ForgetsWhatIsOlderThanItIsToKeepButNoOpenIncident) {
  write({EventEntry{.kind = "start", .subject = "", .detail = "", .at = kNoon - 24h * 500},
         change(kNoon - 24h * 500, ChangeEntry::Kind::opened, words("timestamp")),
         run(kNoon - 24h * 500, Severity::critical), run(kNoon - 24h * 499)});
  write({run(kNoon - 24h * 450, Severity::critical)});
  store().thin(kNoon).value();

  EXPECT_THAT(store().events(all()).value().entries, IsEmpty());
  EXPECT_THAT(store().changes(all()).value().entries, IsEmpty());
  EXPECT_THAT(store().spans(all(), Store::Width::day).value().entries, IsEmpty());
  auto const left = incidents();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].opened, kNoon - 24h * 450);
}

TEST_F(StoreTest, TakesTheOldestRunsAwayWhereTheFileIsTooLarge) {
  bounds_.bytes = 256 << 10;
  restart();
  std::vector<Entry> batch;
  for (int i = 0; i < 20'000; ++i) batch.emplace_back(run(kNoon + i * 1s));
  write(batch);
  auto const size = [&] {
    auto database = Database::open(file(), Database::Access::read).value();
    return database.number("PRAGMA page_count").value() *
           database.number("PRAGMA page_size").value();
  };
  auto const before = size();
  for (int i = 0; i < 10 && store().thin(kNoon + 24h).value();) ++i;

  EXPECT_GT(before, 256 << 10);
  EXPECT_LE(size(), 256 << 10);
  auto const left = store().runs(all()).value().entries;
  ASSERT_FALSE(left.empty());
  EXPECT_EQ(left.back().ended, kNoon + 19'999s) << "the newest stay";
}

TEST_F(StoreTest, AQuestionThatReadsForTooLongIsGivenUpAndTheNextIsAnswered) {
  std::vector<Entry> batch;
  for (int i = 0; i < 20'000; ++i) batch.emplace_back(run(kNoon + 1s * i));
  write(batch);
  store().until(std::chrono::steady_clock::now() - 1s);
  auto const given_up = store().runs(all());

  ASSERT_FALSE(given_up);
  EXPECT_TRUE(given_up.error().too_long());
  store().until(std::nullopt);
  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(1'000));
  EXPECT_THAT(store().take_notices(), IsEmpty()) << "nothing is wrong with the file";
}

TEST_F(StoreTest, KeepsSoManyChangesOfOneProbe) {
  for (int part = 0; part < 21; ++part) {
    std::vector<Entry> batch;
    for (int i = 0; i < 1'000; ++i) {
      batch.emplace_back(change(kNoon + part * 1s, ChangeEntry::Kind::changed, words("s")));
    }
    write(batch);
  }
  ASSERT_TRUE(store().thin(kNoon + 1h));
  auto query = all();
  query.most = 100'000;
  auto const found = store().changes(query);
  ASSERT_TRUE(found);
  ASSERT_THAT(found.value().entries, SizeIs(20'000));
  EXPECT_EQ(found.value().entries.front().at, kNoon + 1s) << "the oldest go";
}

}  // namespace
}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// The history on disk: what is written is read again, over restarts, within bounds, whatever
// happens to the file.
#include "daemon/history/store.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/history/schema.h"
#include "tests/support/temporary_folder.h"

namespace canary::history {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Time kNoon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 24} + 12h};

Words words(std::string subject, Severity severity = Severity::critical,
            std::string reason = "expired") {
  return {.check = "expiry",
          .subject = std::move(subject),
          .reason = std::move(reason),
          .message = "expired at noon",
          .evidence = "tuf 5.4.4",
          .url = "https://host/timestamp.json",
          .severity = severity};
}
RunEntry run(Time ended, Severity severity = Severity::ok, std::string probe = "demo") {
  RunEntry entry{.probe = std::move(probe),
                 .url = "https://host/",
                 .ended = ended,
                 .duration = 250ms,
                 .severity = severity,
                 .telling = std::nullopt};
  if (severity != Severity::ok) entry.telling = words("timestamp", severity);
  return entry;
}
ChangeEntry change(Time at, ChangeEntry::Kind kind, Words finding) {
  return {.probe = "demo", .at = at, .kind = kind, .finding = std::move(finding)};
}
Query all() { return {.probe = "", .since = kNoon - 24h * 900, .until = kNoon + 24h * 900}; }

class StoreTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "state" / "history.db"; }
  Store& store() { return *store_; }
  void write(std::vector<Entry> const& batch) {
    auto const written = store().write(batch);
    ASSERT_TRUE(written) << written.error().text;
  }
  void restart() { store_.emplace(file(), bounds_); }
  std::vector<Incident> incidents() { return store().incidents(all()).value().entries; }

  support::TemporaryFolder folder_;
  Bounds bounds_;
  std::optional<Store> store_{std::in_place, file(), bounds_};
};

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

TEST_F(StoreTest, ABatchThatFailsIsWrittenWholeTheNextTime) {
  write({run(kNoon)});
  std::vector<Entry> batch;
  for (int i = 1; i < 2'000; ++i) {
    batch.emplace_back(change(kNoon + i * 1s, ChangeEntry::Kind::opened, words("timestamp")));
  }
  rlimit usual{};
  ::getrlimit(RLIMIT_FSIZE, &usual);
  auto* const before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit const small{.rlim_cur = 64 << 10, .rlim_max = usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  auto const failed = store().write(batch);
  ::setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, before);

  EXPECT_FALSE(failed);
  write(batch);
  auto query = all();
  query.most = 10'000;
  EXPECT_THAT(store().changes(query).value().entries, SizeIs(batch.size()));
  EXPECT_THAT(store().take_notices(), IsEmpty()) << "a full disk is no damage";
}

TEST_F(StoreTest, SetsADamagedFileAsideAndBeginsANewOne) {
  write({run(kNoon)});
  store_.reset();
  std::ofstream{file(), std::ios::binary | std::ios::trunc} << "no database, but of some length";
  restart();
  write({run(kNoon + 1h)});

  EXPECT_THAT(store().take_notices(), ElementsAre(HasSubstr("damaged")));
  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(1));
  EXPECT_TRUE(std::filesystem::exists(file().string() + ".damaged"));
}

// Inserts may go on over a page that is damaged: it is looked for.
TEST_F(StoreTest, FindsDamageWithinTheFileWhenItChecks) {
  std::vector<Entry> batch;
  for (int i = 0; i < 5'000; ++i) batch.emplace_back(run(kNoon + i * 1s));
  write(batch);
  store_.reset();
  {
    std::fstream damage{file(), std::ios::binary | std::ios::in | std::ios::out};
    damage.seekp(40'960);
    damage << std::string(12'288, 'x');
  }
  restart();
  EXPECT_FALSE(store().check());
  write({run(kNoon)});
  EXPECT_THAT(store().take_notices(), ElementsAre(HasSubstr("damaged")));
  EXPECT_TRUE(store().check());
}

// As of one that is too large to be checked at once.
TEST_F(StoreTest, FindsDamageOfEveryTableWhereItReadsThemAPieceAtATime) {
  auto const look = [&] {
    auto more = store().check(0);
    while (more && more.value()) more = store().check(0);
    return more;
  };
  for (std::string const table : {"runs", "hours", "days", "changes", "causes", "events"}) {
    std::vector<Entry> batch;
    for (int i = 0; i < 6'000; ++i) {
      auto const at = kNoon + i * 1h;
      batch.emplace_back(run(at, Severity::critical));
      batch.emplace_back(run(at + 1min));
      batch.emplace_back(change(at, ChangeEntry::Kind::opened, words("s" + std::to_string(i))));
      batch.emplace_back(EventEntry{.kind = "reload", .subject = "", .detail = "x", .at = at});
    }
    write(batch);
    store().thin(kNoon + 24h * 6).value();
    EXPECT_TRUE(look()) << table;
    std::int64_t page = 0;
    {
      auto database = Database::open(file(), Database::Access::write).value();
      ASSERT_TRUE(database.script("PRAGMA wal_checkpoint(TRUNCATE)"));
      // In the middle of its leaves.
      page = database
                 .number("SELECT pageno FROM dbstat WHERE name = '" + table +
                         "' AND pagetype = 'leaf' LIMIT 1 OFFSET (SELECT count(*) / 2 FROM dbstat "
                         "WHERE name = '" +
                         table + "' AND pagetype = 'leaf')")
                 .value();
      ASSERT_GT(page, 0) << table;
    }
    store_.reset();
    {
      std::fstream damage{file(), std::ios::binary | std::ios::in | std::ios::out};
      damage.seekp((page - 1) * 4'096);
      damage << std::string(4'096, 'x');
    }
    restart();
    EXPECT_FALSE(look()) << table;
    EXPECT_THAT(store().take_notices(), ElementsAre(HasSubstr("damaged"))) << table;
    EXPECT_TRUE(look()) << table;
  }
}

TEST_F(StoreTest, BeginsANewFileWhereItsOwnIsTakenAway) {
  write({run(kNoon)});
  std::filesystem::remove_all(file().parent_path());
  write({run(kNoon + 1h)});

  EXPECT_THAT(store().take_notices(), ElementsAre(HasSubstr("taken away")));
  restart();
  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(1));
}

TEST_F(StoreTest, LeavesAFileOfANewerCanarydAlone) {
  write({run(kNoon)});
  store_.reset();
  auto newer = Database::open(file(), Database::Access::write).value();
  ASSERT_TRUE(newer.script("PRAGMA user_version = 7"));
  restart();
  write({run(kNoon + 1h)});

  EXPECT_THAT(store().take_notices(), ElementsAre(HasSubstr("newer canaryd")));
  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(1));
  auto aside = Database::open(file().string() + ".version-7", Database::Access::read);
  ASSERT_TRUE(aside) << aside.error().text;
  EXPECT_EQ(aside.value().number("SELECT count(*) FROM recent_runs").value(), 1);
}

TEST_F(StoreTest, TakesUpAgainWhatAnOlderCanarydLeftAlone) {
  write({run(kNoon)});
  store_.reset();
  std::filesystem::rename(file(), file().string() + ".version-" + std::to_string(kSchemaVersion));
  restart();
  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(1));
  EXPECT_THAT(store().take_notices(), ElementsAre(HasSubstr("in use again")));
}

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
  EXPECT_THAT(store().runs(of_other).value().entries, SizeIs(1));
  EXPECT_THAT(store().spans(of_other, Store::Width::hour).value().entries, SizeIs(1));
  EXPECT_THAT(store().spans(of_other, Store::Width::day).value().entries, SizeIs(1));
}

// As the program before this one left it.
TEST_F(StoreTest, AFileOfTheOlderVersionIsReadAsItIsAndBroughtUpToDateByWhoWrites) {
  write({run(kNoon)});
  store().thin(kNoon + 2h).value();
  store_.reset();
  {
    auto older = Database::open(file(), Database::Access::write).value();
    ASSERT_TRUE(
        older.script("DROP TABLE versions; DROP TABLE recent_runs; PRAGMA user_version = 1"));
  }
  auto reader = Store::reading(file());
  EXPECT_THAT(reader.runs(all()).value().entries, SizeIs(1));
  EXPECT_THAT(reader.spans(all(), Store::Width::day).value().entries, SizeIs(1));
  restart();
  write({run(kNoon + 3h)});
  EXPECT_THAT(store().runs(all()).value().entries, SizeIs(2));
  EXPECT_THAT(store().take_notices(), IsEmpty());
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

// `canaryd history` reads the file beside the daemon.
TEST_F(StoreTest, IsReadByAnotherConnectionWhileItIsWritten) {
  write({run(kNoon)});
  auto reader = Database::open(file(), Database::Access::read).value();
  EXPECT_EQ(reader.number("SELECT count(*) FROM recent_runs").value(), 1);
  write({run(kNoon + 1h)});
  EXPECT_EQ(reader.number("SELECT count(*) FROM recent_runs").value(), 2);
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

TEST_F(StoreTest, WhoOnlyReadsMakesNoFileAndSaysWhatIsWrong) {
  auto reader = Store::reading(file());
  EXPECT_FALSE(reader.runs(all()));
  EXPECT_FALSE(std::filesystem::exists(file()));
  write({run(kNoon)});
  EXPECT_THAT(reader.runs(all()).value().entries, SizeIs(1));
  EXPECT_FALSE(reader.write({run(kNoon + 1h)}));
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

// Whoever wrote the file: what SQLite quotes of it is shown on terminals.
TEST_F(StoreTest, WhatSqliteSaysOfTheFileIsHarmless) {
  write({run(kNoon)});
  store_.reset();
  auto database = Database::open(file(), Database::Access::write).value();
  ASSERT_TRUE(database.run("PRAGMA writable_schema = ON"));
  ASSERT_TRUE(
      database.run("UPDATE sqlite_schema SET name = '\x1b[2Jevil', sql = 'CREATE nonsense' "
                   "WHERE name = 'events'"));
  database = Database::open(file(), Database::Access::read).value();
  auto const read = database.run("SELECT * FROM runs");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().text, HasSubstr("evil"));
  EXPECT_TRUE(is_harmless(read.error().text, 1'000)) << read.error().text;
}

}  // namespace
}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// The file of the history: damaged, taken away, of another canaryd, read by others, on a disk that
// is full; what is in it stays as far as it can, and what happened is told.
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/history/schema.h"
#include "tests/daemon/history/store_fixture.h"

namespace canary::history {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::ElementsAre;

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

// `canaryd history` reads the file beside the daemon.
TEST_F(StoreTest, IsReadByAnotherConnectionWhileItIsWritten) {
  write({run(kNoon)});
  auto reader = Database::open(file(), Database::Access::read).value();
  EXPECT_EQ(reader.number("SELECT count(*) FROM recent_runs").value(), 1);
  write({run(kNoon + 1h)});
  EXPECT_EQ(reader.number("SELECT count(*) FROM recent_runs").value(), 2);
}

TEST_F(StoreTest, WhoOnlyReadsMakesNoFileAndSaysWhatIsWrong) {
  auto reader = Store::reading(file());
  EXPECT_FALSE(reader.runs(all()));
  EXPECT_FALSE(std::filesystem::exists(file()));
  write({run(kNoon)});
  EXPECT_THAT(reader.runs(all()).value().entries, SizeIs(1));
  EXPECT_FALSE(reader.write({run(kNoon + 1h)}));
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

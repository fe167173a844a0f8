// SPDX-License-Identifier: Apache-2.0
// The loop notes, a thread writes, others ask: nobody waits for the disk longer than told.
#include "daemon/history/recorder.h"

#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/log/log.h"
#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"
#include "tests/support/read_file.h"
#include "tests/support/temporary_folder.h"

namespace canary::history {
namespace {

using namespace std::chrono_literals;
using runtime::Deadline;
using runtime::Task;
using ::testing::HasSubstr;

constexpr Time kNoon{1'800'000'000'000ms};

EventEntry event(Time at = kNoon) {
  return {.kind = "reload", .subject = "", .detail = "", .at = at};
}

class RecorderTest : public ::testing::Test {
 protected:
  RecorderTest() {
    log_file_ = (folder_.path() / "log").string();
    log_.emplace(config::LogSettings{}, ::open(log_file_.c_str(), O_WRONLY | O_CREAT, 0600));
    running_.block_on(begin());
  }
  ~RecorderTest() override {
    running_.block_on(end());
    log_.reset();
  }
  std::filesystem::path file() const { return folder_.path() / "state" / kFileName; }

  Task<void> begin() {
    recorder_.emplace(running_.executor(), *log_, file(), Bounds{});
    co_return;
  }
  Task<void> end() {
    recorder_.reset();
    co_return;
  }
  Task<void> note(EventEntry entry) {
    recorder_->note(std::move(entry));
    co_return;
  }
  Task<bool> finish() { co_return co_await recorder_->finish(Deadline::after(60s)); }
  Task<void> keep_until(std::function<bool()> reached) {
    runtime::TaskGroup group{running_.executor()};
    group.start(recorder_->keep());
    while (!reached()) co_await runtime::sleep_until({}, "test", Deadline::after(1ms));
    group.request_stop();
    co_await group.join({});
  }

  std::optional<DatabaseResult<std::size_t>> events(std::chrono::milliseconds limit = 60s) {
    return recorder_->ask<std::size_t>(
        [](Store& store) -> DatabaseResult<std::size_t> {
          BOOST_OUTCOME_TRY(auto const found,
                            store.events({.probe = "", .since = kNoon, .until = kNoon + 1h}));
          return found.entries.size();
        },
        limit);
  }
  std::string log_text() {
    log_->flush(10s);
    return support::read_file(log_file_);
  }

  support::TemporaryFolder folder_;
  std::string log_file_;
  std::optional<daemon::Log> log_;
  runtime::RunningLoop running_;
  std::optional<Recorder> recorder_;
};

TEST_F(RecorderTest, WhatIsNotedIsWrittenSoon) {
  running_.block_on(note(event()));
  running_.block_on(keep_until([this] { return recorder_->counts().written == 1; }));
  EXPECT_EQ(events()->value(), 1);
  EXPECT_EQ(recorder_->counts().waiting, 0);
}

TEST_F(RecorderTest, WritesWhatIsLeftAtTheEnd) {
  for (int i = 0; i < 5'000; ++i) running_.block_on(note(event(kNoon + i * 1ms)));
  EXPECT_TRUE(running_.block_on(finish()));
  running_.block_on(end());
  running_.block_on(begin());
  auto const all = recorder_->ask<std::size_t>(
      [](Store& store) -> DatabaseResult<std::size_t> {
        Query const query{.probe = "", .since = kNoon, .until = kNoon + 1h, .most = 10'000};
        BOOST_OUTCOME_TRY(auto const found, store.events(query));
        return found.entries.size();
      },
      60s);
  EXPECT_EQ(all->value(), 5'000);
}

TEST_F(RecorderTest, AnswersNothingWhileTheDatabasesThreadStandsStill) {
  std::promise<void> began, go_on;
  std::thread standing{[&] {
    recorder_->ask<bool>(
        [&](Store&) -> DatabaseResult<bool> {
          began.set_value();
          go_on.get_future().wait();
          return true;
        },
        60s);
  }};
  began.get_future().wait();
  EXPECT_EQ(events(20ms), std::nullopt);
  running_.block_on(note(event()));
  EXPECT_EQ(recorder_->counts().waiting, 1) << "the loop does not wait";
  go_on.set_value();
  standing.join();
  EXPECT_TRUE(running_.block_on(finish()));
  EXPECT_EQ(events()->value(), 1);
}

TEST_F(RecorderTest, WritesWhatIsNotedWhileThereIsMuchToThin) {
  std::vector<Entry> old;
  for (int i = 0; i < 30'000; ++i) old.emplace_back(event(kNoon - 24h * 4'000 + i * 1s));
  ASSERT_TRUE(Store(file(), {}).write(old));
  running_.block_on(note(event()));
  running_.block_on(keep_until([this] { return recorder_->counts().written == 1; }));

  auto const left = recorder_->ask<std::size_t>(
      [](Store& store) -> DatabaseResult<std::size_t> {
        Query const query{
            .probe = "", .since = kNoon - 24h * 5'000, .until = kNoon, .most = 30'000};
        BOOST_OUTCOME_TRY(auto const found, store.events(query));
        return found.entries.size();
      },
      60s);
  EXPECT_GT(left->value(), 0U) << "it did not wait for the end of that";
  EXPECT_LT(left->value(), 30'000U);
}

TEST_F(RecorderTest, LooksForDamageWhenItBegins) {
  for (int i = 0; i < 5'000; ++i) running_.block_on(note(event(kNoon + i * 1ms)));
  EXPECT_TRUE(running_.block_on(finish()));
  running_.block_on(end());
  {
    std::fstream damage{file(), std::ios::binary | std::ios::in | std::ios::out};
    damage.seekp(40'960);
    damage << std::string(12'288, 'x');
  }
  running_.block_on(begin());
  // Set aside by its thread, and told by the loop after that.
  running_.block_on(keep_until(
      [this] { return support::read_file(log_file_).find("damaged") != std::string::npos; }));
  EXPECT_TRUE(std::filesystem::exists(file().string() + ".damaged"));
  // The words of quick_check, not of a statement that happened to meet it.
  EXPECT_THAT(log_text(), HasSubstr("the history is damaged (*** in database main ***"));
}

TEST_F(RecorderTest, SaysOnceThatItCannotWriteAndThatItCanAgain) {
  std::ofstream{folder_.path() / "state"} << "a file where the folder should be";
  running_.block_on(note(event()));
  running_.block_on(finish());
  running_.block_on(finish());
  EXPECT_FALSE(recorder_->counts().works);
  std::filesystem::remove(folder_.path() / "state");
  running_.block_on(finish());

  EXPECT_TRUE(recorder_->counts().works);
  EXPECT_EQ(events()->value(), 1);
  auto const log = log_text();
  auto const first = log.find("the history is not written");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("the history is not written", first + 1), std::string::npos) << log;
  EXPECT_THAT(log, HasSubstr("the history is written again"));
}

// What a stop interrupts has begun already, and is not written a second time.
TEST_F(RecorderTest, ABatchThatAStopInterruptsIsWrittenOnce) {
  ASSERT_TRUE(events());
  auto locked = Database::open(file(), Database::Access::write).value();
  auto const at_it = [] {
    for (auto const& row : runtime::tables()->threads()) {
      if (std::string_view{row.name.bytes().data()} != "history") continue;
      if (row.job_since_ns.load() != 0) return true;
    }
    return false;
  };
  bool is_locked = false;
  running_.block_on(note(event()));
  running_.block_on(keep_until([&] {
    if (recorder_->counts().written == 0) return false;
    if (std::exchange(is_locked, true)) return at_it();
    EXPECT_TRUE(locked.run("BEGIN EXCLUSIVE"));
    recorder_->note(event(kNoon + 1ms));
    return false;
  }));
  ASSERT_TRUE(locked.run("COMMIT"));
  EXPECT_TRUE(running_.block_on(finish()));
  EXPECT_EQ(events()->value(), 2);
}

TEST_F(RecorderTest, DropsAndCountsWhatIsMoreThanCanWait) {
  running_.block_on([](Recorder& recorder) -> Task<void> {
    for (std::size_t i = 0; i <= Recorder::kMostWaiting; ++i) recorder.note(event());
    co_return;
  }(*recorder_));
  EXPECT_EQ(recorder_->counts().dropped, 1);
  EXPECT_THAT(log_text(), HasSubstr("cannot follow"));
  running_.block_on(finish());
  EXPECT_EQ(recorder_->counts().written, Recorder::kMostWaiting);
  EXPECT_THAT(log_text(), HasSubstr("follows again"));
}

TEST_F(RecorderTest, AQuestionThatNobodyWaitsForAnyMoreIsNotInTheQueue) {
  std::promise<void> began, go_on;
  std::thread standing{[&] {
    recorder_->ask<bool>(
        [&](Store&) -> DatabaseResult<bool> {
          began.set_value();
          go_on.get_future().wait();
          return true;
        },
        60s);
  }};
  began.get_future().wait();
  auto const held = std::make_shared<int>();
  EXPECT_FALSE(recorder_->ask<bool>([held](Store&) -> DatabaseResult<bool> { return true; }, 20ms));
  EXPECT_EQ(held.use_count(), 1);
  go_on.set_value();
  standing.join();
}

ChangeEntry a_change(Time at, std::string probe, std::size_t size = 10) {
  ChangeEntry entry{.probe = std::move(probe), .at = at, .finding = {.check = "targets"}};
  entry.finding.message.assign(size, 'x');
  return entry;
}

// A repository that has other things wrong with it at each run does not fill the disk.
TEST_F(RecorderTest, LeavesOutChangesThatAreTooManyAndSaysSo) {
  running_.block_on([](Recorder& recorder) -> Task<void> {
    for (std::size_t i = 0; i < Recorder::kMostChanges + 50; ++i) {
      recorder.note(a_change(kNoon, "noisy"));
    }
    recorder.note(a_change(kNoon, "quiet"));
    recorder.note(a_change(kNoon + 1h, "noisy"));
    co_return;
  }(*recorder_));
  EXPECT_EQ(recorder_->counts().waiting, Recorder::kMostChanges + 3);
  EXPECT_EQ(recorder_->counts().dropped, 0) << "the disk follows";
  EXPECT_TRUE(running_.block_on(finish()));
  EXPECT_EQ(events()->value(), 1);
}

TEST_F(RecorderTest, BoundsWhatWaitsByItsSize) {
  running_.block_on([](Recorder& recorder) -> Task<void> {
    std::size_t const size = 100'000;
    for (std::size_t i = 0; i <= Recorder::kMostWaitingBytes / size; ++i) {
      recorder.note(a_change(kNoon, "p", size));
    }
    co_return;
  }(*recorder_));
  EXPECT_GT(recorder_->counts().dropped, 0);
  EXPECT_TRUE(running_.block_on(finish()));
  running_.block_on(note(event()));
  EXPECT_EQ(recorder_->counts().waiting, 1) << "there is room again";
}

}  // namespace
}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// A real watchdog's thread over tables that the test writes by hand.
#include "daemon/watchdog/watchdog.h"

#include <chrono>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/daemon/watchdog/watchdog_thread.h"

namespace canary::watchdog {
namespace {

TEST_F(WatchdogThread, NamesDumpsAndForgivesALoopThatWaitsForALock) {
  Stuck stuck;
  start();
  hang_loop(stuck.id());

  ASSERT_TRUE(eventually([&] { return dump.finished.load() == 1; }));
  EXPECT_TRUE(record().executor_stalled());
  EXPECT_EQ(dump.subject.load(), static_cast<int>(Subject::loop));
  EXPECT_EQ(dump.verdict.load(), static_cast<int>(Verdict::lock));
  EXPECT_EQ(reached(Subject::loop, Level::suspect), 1u);
  EXPECT_EQ(reached(Subject::loop, Level::stalled), 1u);
  LastStall last;
  ASSERT_TRUE(eventually([&] { return record().last_stall.known(); }));
  ASSERT_TRUE(record().last_stall.load(last));
  EXPECT_STREQ(last.incident.name.data(), "example");

  let_loop_go();
  EXPECT_TRUE(eventually([&] { return !record().executor_stalled(); }));
  EXPECT_TRUE(eventually([&] { return record().current_incidents.load() == 0; }));
}

// A thread that computes until the test ends.
class Busy {
 public:
  Busy()
      : thread_([this] {
          id_.store(::gettid());
          while (!over_.load(memory_order_relaxed)) {
          }
        }) {
    while (id_.load() == 0) std::this_thread::yield();
  }
  ~Busy() {
    over_.store(true);
    thread_.join();
  }
  std::int32_t id() const { return id_.load(); }

 private:
  std::atomic<bool> over_{false};
  std::atomic<std::int32_t> id_{0};
  std::thread thread_;
};

TEST_F(WatchdogThread, TakesSeveralStacksOfAThreadThatComputes) {
  Busy const busy;
  start();
  hang_loop(busy.id());

  EXPECT_TRUE(eventually([&] { return dump.finished.load() == 1; }));
  EXPECT_EQ(dump.verdict.load(), static_cast<int>(Verdict::cpu_loop));
  EXPECT_EQ(dump.samples.load(), 4);
}

TEST_F(WatchdogThread, LeavesAStackThatCannotBeCopiedToTheHelperAtOnce) {
  Busy const busy;
  dump.stack_can_be_copied.store(false);
  start();
  hang_loop(busy.id());

  EXPECT_TRUE(eventually([&] { return dump.finished.load() == 1; }));
  EXPECT_EQ(dump.verdict.load(), static_cast<int>(Verdict::cpu_loop));
  EXPECT_EQ(dump.samples.load(), 0);
}

TEST_F(WatchdogThread, AsksForAStalledRunsEndAndMarksItWhenItGoesOn) {
  start();
  RunRecord& run = stall_run();
  auto const generation = run.generation.load();

  ASSERT_TRUE(eventually([&] { return run.ask_cancel.load() == generation; }));
  std::uint64_t wakes = 0;
  EXPECT_TRUE(eventually(
      [&] { return ::read(watchdog->cancel_descriptor(), &wakes, sizeof wakes) == sizeof wakes; }));
  run.cancelling_ns.store(runtime::now_ns());
  run.state.store(RunRecord::cancelling);

  EXPECT_TRUE(eventually([&] { return run.stalled.load() == generation; }));
  EXPECT_TRUE(eventually([&] { return record().runs_stalled.load() == 1; }));
  EXPECT_EQ(reached(Subject::run, Level::hung), 1u);
  EXPECT_EQ(reached(Subject::loop, Level::suspect), 0u) << "the loop turns";
}

TEST_F(WatchdogThread, LeavesARunAloneThatMoves) {
  settings.run_stall = 1s;
  start();
  RunRecord& run = stall_run();
  std::uint64_t const ticks = record().ticks.load();

  bool const ticked = eventually([&] {
    run.progress_ns.store(runtime::now_ns());
    return record().ticks.load() > ticks + 25;
  });

  EXPECT_TRUE(ticked);
  EXPECT_EQ(reached(Subject::run, Level::suspect), 0u);
}

// One cause, one accused: the run is judged again once the disk goes on.
TEST_F(WatchdogThread, LeavesARunAloneWhileTheDiskStandsStill) {
  Stuck const stuck;
  settings.run_stall = 1s;
  settings.disk_stall = 100ms;
  start();
  auto& disk = tables.threads()[20];
  disk.kind.store(runtime::ThreadRecord::disk);
  disk.job_since_ns.store(runtime::now_ns());
  disk.thread.store(stuck.id());
  ASSERT_TRUE(eventually([&] { return reached(Subject::disk, Level::stalled) == 1; }));
  stall_run();
  auto const old = runtime::now_ns() + 2'000'000'000;

  ASSERT_TRUE(eventually([&] { return runtime::now_ns() > old; }));
  EXPECT_EQ(reached(Subject::run, Level::stalled), 0u);

  disk.job_since_ns.store(0);
  EXPECT_TRUE(eventually([&] { return reached(Subject::run, Level::stalled) == 1; }));
  disk.thread.store(0);
  disk.kind.store(runtime::ThreadRecord::unused);
}

TEST_F(WatchdogThread, TakesADiskThatManyThreadsWaitForAsOneIncident) {
  Stuck const stuck, beside_it;
  settings.disk_stall = 100ms;
  start();
  auto const since = runtime::now_ns();
  std::array const threads{&stuck, &beside_it};
  for (std::size_t i = 0; i < threads.size(); ++i) {
    auto& disk = tables.threads()[20 + i];
    disk.kind.store(runtime::ThreadRecord::disk);
    disk.job_since_ns.store(since + static_cast<std::int64_t>(i));
    disk.thread.store(threads[i]->id());
  }
  ASSERT_TRUE(eventually([&] { return reached(Subject::disk, Level::stalled) == 1; }));
  std::uint64_t const ticks = record().ticks.load();
  ASSERT_TRUE(eventually([&] { return record().ticks.load() > ticks + 10; }));
  EXPECT_EQ(reached(Subject::disk, Level::stalled), 1u);

  tables.threads()[20].job_since_ns.store(0);  // it got its answer, the other did not
  tables.threads()[20].thread.store(0);
  EXPECT_TRUE(eventually([&] { return reached(Subject::disk, Level::stalled) == 2; }));
  for (std::size_t i = 0; i < threads.size(); ++i) {
    tables.threads()[20 + i].thread.store(0);
    tables.threads()[20 + i].kind.store(runtime::ThreadRecord::unused);
  }
}

// Who waits for another's file is told of by that file, and grace nobody.
TEST_F(WatchdogThread, TellsOfAFileThatNeverOpensAndAccusesARunBesideIt) {
  Stuck const stuck;
  settings.run_stall = 1s;
  settings.disk_stall = 100ms;
  start();
  auto& files = tables.threads()[20];
  files.name.store("files");
  files.about.store("/frozen/ca.pem");
  files.kind.store(runtime::ThreadRecord::files);
  files.job_since_ns.store(runtime::now_ns());
  files.thread.store(stuck.id());
  ASSERT_TRUE(eventually([&] { return reached(Subject::files, Level::stalled) == 1; }));
  bool named = false;
  for (auto const& incident : current_incidents(record())) {
    named = named || std::string_view{incident.name.data()} == "files /frozen/ca.pem";
  }
  EXPECT_TRUE(named);
  stall_run();

  EXPECT_TRUE(eventually([&] { return reached(Subject::run, Level::stalled) == 1; }));
  EXPECT_EQ(reached(Subject::files, Level::stalled), 1u) << "told once";

  files.job_since_ns.store(0);
  files.thread.store(0);
  files.kind.store(runtime::ThreadRecord::unused);
}

TEST_F(WatchdogThread, QuarantinesAProbeThatHangsTheLoopAgainAndAgain) {
  settings.quarantine_after = 2;
  Stuck stuck;
  start();
  EXPECT_FALSE(watchdog->quarantined("example"));
  for (std::uint64_t time = 1; time <= 2; ++time) {
    hang_loop(stuck.id());
    ASSERT_TRUE(eventually([&] { return reached(Subject::loop, Level::stalled) == time; }));
    let_loop_go();
    ASSERT_TRUE(eventually([&] { return !record().executor_stalled(); }));
  }

  EXPECT_TRUE(eventually([&] { return watchdog->quarantined("example"); }));
  EXPECT_FALSE(watchdog->quarantined("other"));

  watchdog->lift_quarantine();
  EXPECT_TRUE(eventually([&] { return !watchdog->quarantined("example"); }));
}

TEST_F(WatchdogThread, LeavesAStallToBeSeenAfterACleanRestart) {
  {
    Stuck stuck;
    start();
    hang_loop(stuck.id());
    ASSERT_TRUE(eventually([&] { return record().last_stall.known(); }));
    let_loop_go();
  }
  watchdog.reset();
  start();

  PreviousRun const& previous = record().previous;
  EXPECT_TRUE(previous.known);
  EXPECT_TRUE(previous.clean);
  EXPECT_EQ(previous.restarts, 0u);
  ASSERT_TRUE(previous.has_stall);
  EXPECT_EQ(previous.stall.incident.verdict, Verdict::lock);
}

TEST_F(WatchdogThread, WritesADumpForWhoeverAsks) {
  start();

  auto const request = watchdog->request_dump();

  DumpOutcome outcome;
  ASSERT_TRUE(eventually(
      [&] { return record().last_asked_dump.load(outcome) && outcome.request >= request; }));
  EXPECT_EQ(outcome.fate, DumpFate::written);
  EXPECT_STREQ(outcome.path.data(), "/dumps/fake");
  EXPECT_EQ(record().dumps_written.load(), 1u);
}

TEST_F(WatchdogThread, SaysWhatItSawInTheLog) {
  Stuck stuck;
  start();
  hang_loop(stuck.id());
  std::optional<Line> stall;

  EXPECT_TRUE(eventually([&] {
    Line line;
    while (watchdog->lines().pop(line)) {
      if (line.kind == Line::Kind::stall && line.incident.level == Level::stalled) stall = line;
    }
    return stall.has_value();
  }));
  EXPECT_EQ(stall->incident.verdict, Verdict::lock);
  EXPECT_GT(stall->wall_ns, 0);
}

TEST_F(WatchdogThread, FindsARunThatNothingCanWake) {
  start();
  RunRecord& run = stall_run();
  run.frames[0].kind.store(runtime::FrameRecord::frame);
  run.frames[0].parent.store(runtime::kNoFrame);
  run.used_frames.store(1);

  ASSERT_TRUE(eventually([&] { return dump.finished.load() >= 1; }));
  EXPECT_EQ(dump.verdict.load(), static_cast<int>(Verdict::orphan_await));
  run.used_frames.store(0);
}

TEST_F(WatchdogThread, ALoopThatMayStopIsNotAccused) {
  start();
  tables.loop().beats.store(5);
  tables.loop().state.store(LoopRecord::left_run);
  ASSERT_TRUE(eventually([&] { return reached(Subject::loop, Level::stalled) == 1; }))
      << "unasked it is a stall";

  watchdog->stopping(1h);

  EXPECT_TRUE(eventually([&] { return record().current_incidents.load() == 0; }));
}

using WatchdogDeathTest = WatchdogThread;

TEST_F(WatchdogDeathTest, AbortsWhenTheLoopIsDead) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  settings.loop_hung = 300ms;
  settings.loop_dead = 400ms;
  settings.on_dead = WatchdogSettings::OnDead::abort;

  EXPECT_EXIT(
      {
        Stuck stuck;
        start();
        hang_loop(stuck.id());
        for (;;) ::pause();
      },
      testing::KilledBySignal(SIGABRT), "");
}

TEST_F(WatchdogDeathTest, StartsTheProgramAnewInPlace) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  settings.loop_hung = 300ms;
  settings.loop_dead = 400ms;
  settings.on_dead = WatchdogSettings::OnDead::exec;

  EXPECT_EXIT(
      {
        if (::getenv("CANARYD_TEST_ANEW") != nullptr) ::_exit(42);
        ::setenv("CANARYD_TEST_ANEW", "1", 1);
        Stuck stuck;
        start();
        hang_loop(stuck.id());
        for (;;) ::pause();
      },
      testing::ExitedWithCode(42), "");
}

TEST_F(WatchdogDeathTest, EndsAStopThatHangs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");

  EXPECT_EXIT(
      {
        start();
        watchdog->stopping(100ms);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace canary::watchdog

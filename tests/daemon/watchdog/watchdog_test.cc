// SPDX-License-Identifier: Apache-2.0
// A real watchdog's thread over tables that the test writes by hand.
#include "daemon/watchdog/watchdog.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/act/memory.h"
#include "daemon/watchdog/tell/current.h"
#include "runtime/tables.h"
#include "runtime/thread_row.h"
#include "tests/daemon/publish/plain_client.h"

namespace canary::watchdog {
namespace {

using namespace std::chrono_literals;
using config::WatchdogSettings;
using runtime::LoopRecord;
using runtime::RunRecord;
using std::memory_order_relaxed;

constexpr auto kPatience = 20s;  // a limit of the test, never what it measures

// Looks again and again until it is so.
bool eventually(std::function<bool()> const& so) {
  auto const limit = std::chrono::steady_clock::now() + kPatience;
  while (!so()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

// A thread that waits for a futex until it is let go: somebody to be stuck.
class Stuck {
 public:
  Stuck() {
    thread_ = std::thread{[this] {
      id_.store(::gettid());
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return over_; });
    }};
    while (id_.load() == 0) std::this_thread::yield();
  }
  ~Stuck() {
    {
      std::lock_guard const lock{mutex_};
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  std::int32_t id() const { return id_.load(); }

 private:
  std::atomic<std::int32_t> id_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

// A dump that writes down what it was asked for.
struct FakeDump {
  std::atomic<int> started{0}, samples{0}, finished{0};
  std::atomic<std::uint64_t> incidents{0};
  std::atomic<int> subject{-1}, verdict{-1};
  std::atomic<bool> stack_can_be_copied{true};
  std::atomic<int> error{0};
  std::atomic<std::uint64_t> unreadable{0};

  Dumper dumper() {
    return {
        .self = this,
        .start =
            [](void* self, DumpOrder const& order) {
              auto& fake = *static_cast<FakeDump*>(self);
              fake.incidents.store(order.incidents.size());
              if (!order.incidents.empty()) {
                fake.subject.store(static_cast<int>(order.incidents[0].subject));
                fake.verdict.store(static_cast<int>(order.incidents[0].verdict));
              }
              fake.started.fetch_add(1);
              return fake.stack_can_be_copied.load();
            },
        .sample = [](void* self, std::int32_t) { ++static_cast<FakeDump*>(self)->samples; },
        .finish =
            [](void* self, PathText& path) {
              path = {"/dumps/fake"};
              auto& fake = *static_cast<FakeDump*>(self);
              ++fake.finished;
              return fake.error.load();
            },
        .poll = [](void* self) { return static_cast<FakeDump*>(self)->unreadable.exchange(0); }};
  }
};

class WatchdogThread : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/canaryd-watchdog-XXXXXX";
    directory = ::mkdtemp(pattern);
    settings.loop_suspect = 50ms;
    settings.loop_stall = 200ms;
    settings.loop_hung = 1h;
    settings.loop_dead = 1h;
    settings.run_stall = 400ms;
    settings.run_unwind = 100ms;
    settings.on_dead = WatchdogSettings::OnDead::report;
  }
  void TearDown() override {
    watchdog.reset();
    LoopRecord& record = tables.loop();
    record.state.store(LoopRecord::not_started);
    record.handler_since_ns.store(0);
    record.thread.store(0);
    for (auto& run : tables.runs()) run.state.store(RunRecord::free);
    std::filesystem::remove_all(directory);
  }

  void start() {
    watchdog = std::make_unique<Watchdog>(
        Options{.settings = settings, .memory_directory = directory, .dumper = dump.dumper()});
  }
  Record const& record() const { return watchdog->record(); }

  // A loop whose handler of run 0, a probe called "example", is stuck in `thread` from now on.
  void hang_loop(std::int32_t thread) {
    LoopRecord& loop = tables.loop();
    RunRecord& run = tables.runs()[0];
    run.name.store("example");
    run.kind.store(RunRecord::probe);
    run.generation.fetch_add(1);
    tables.operations()[0].store_head({.run = 0, .state = runtime::OperationHead::running},
                                      std::memory_order_release);
    loop.handler.store(1);
    loop.thread.store(thread);
    loop.beats.store(5);
    loop.beat_due_ns.store(runtime::now_ns() + 50'000'000);
    loop.handler_since_ns.store(runtime::now_ns());
    loop.state.store(LoopRecord::in_run);
  }
  // A loop that is well from now on.
  void let_loop_turn() {
    tables.loop().state.store(LoopRecord::in_run);
    tables.loop().beats.store(5);
    let_loop_go();
  }
  void let_loop_go() {
    tables.loop().handlers.fetch_add(1);
    tables.loop().beat_due_ns.store(runtime::now_ns() + 3'600'000'000'000);
    tables.loop().handler_since_ns.store(0);
  }
  // A loop that turns, and a run that does nothing from now on.
  RunRecord& stall_run(std::int64_t deadline_ns = INT64_MAX) {
    let_loop_turn();
    RunRecord& run = tables.runs()[1];
    run.name.store("slow");
    run.kind.store(RunRecord::probe);
    run.generation.fetch_add(1);
    run.started_ns.store(runtime::now_ns());
    run.progress_ns.store(runtime::now_ns());
    run.deadline_ns.store(deadline_ns);
    run.state.store(RunRecord::running);
    return run;
  }
  std::uint64_t reached(Subject subject, Level level) const {
    return record()
        .stalls[static_cast<std::size_t>(subject)][static_cast<std::size_t>(level)]
        .load();
  }

  std::filesystem::path directory;
  WatchdogSettings settings;
  FakeDump dump;
  runtime::Tables& tables = runtime::make_tables({.runs = 8, .operations = 64});
  std::unique_ptr<Watchdog> watchdog;
};

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

// A server's thread that is asked and answers when it is told to.
class AskedThread {
 public:
  AskedThread(SelfChannels& channels, std::size_t place) {
    int ends[2];
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends);
    socket_ = ends[0];
    channels.give(place, ends[1]);
  }
  ~AskedThread() { ::close(socket_); }
  AskedThread(AskedThread const&) = delete;
  AskedThread& operator=(AskedThread const&) = delete;
  // True when there was a question.
  bool answer_if_asked() const {
    pollfd asked{.fd = socket_, .events = POLLIN, .revents = 0};
    char bytes[512];
    if (::poll(&asked, 1, 1) <= 0 || ::recv(socket_, bytes, sizeof bytes, 0) <= 0) return false;
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
    ::send(socket_, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    return true;
  }

 private:
  int socket_ = -1;
};

TEST_F(WatchdogThread, NoticesAServerThatDoesNotAnswerAndThatItDoesAgain) {
  settings.server_stall = 300ms;
  let_loop_turn();
  start();
  AskedThread const thread{watchdog->asking(), 0};
  watchdog->asking().expect(1, 1);

  ASSERT_TRUE(eventually([&] { return reached(Subject::server, Level::stalled) == 1; }));
  EXPECT_TRUE(thread.answer_if_asked());

  EXPECT_TRUE(eventually([&] { return record().server_answers.load() == 1; }));
  EXPECT_TRUE(eventually([&] { return record().current_incidents.load() == 0; }));
}

TEST_F(WatchdogThread, AnswersForAServerThatDoesNotAndStepsBackWhenItDoes) {
  settings.server_stall = 300ms;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int const listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::listen(listener, 8);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  let_loop_turn();
  start();
  AskedThread const thread{watchdog->asking(), 0};
  std::string const too_much = "# " + std::string(5'000, 'x');
  watchdog->answer_for_server_on({&listener, 1}, "# TYPE fixed gauge\nfixed 7\n" + too_much);
  watchdog->asking().expect(1, 1);
  std::string const where = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));

  auto const page = tests::Client{where}.request("GET", "/metrics").body;  // waits for it
  EXPECT_THAT(page, testing::HasSubstr("\ncanaryd_emergency_page 1\n"));
  EXPECT_THAT(page, testing::HasSubstr("\nfixed 7\n"));
  EXPECT_THAT(page, testing::Not(testing::HasSubstr("xxx"))) << "half a line";
  EXPECT_NE(record().emergency_since_ns.load(), 0);
  EXPECT_EQ(tests::Client{where}.request("GET", "/-/healthy").status, 503);

  // The server lives again: it answers the watchdog.
  EXPECT_TRUE(eventually([&] {
    thread.answer_if_asked();
    return record().emergency_since_ns.load() == 0;
  }));
  EXPECT_GE(record().emergency_answers[0].load(), 1u);
  watchdog->leave_server_alone();
  ::close(listener);
}

TEST_F(WatchdogThread, AsksEachThreadOfTheServer) {
  settings.server_stall = 300ms;
  let_loop_turn();
  start();
  AskedThread const lives{watchdog->asking(), 0};
  AskedThread const deaf{watchdog->asking(), 1};
  watchdog->asking().expect(2, 2);

  EXPECT_TRUE(eventually([&] {
    lives.answer_if_asked();
    return reached(Subject::server, Level::stalled) == 1;
  }));
}

TEST_F(WatchdogThread, MissesAThreadThatEndedAtWorkAndNoneThatLeft) {
  let_loop_turn();
  start();
  auto const end_in = [](runtime::ThreadRecord::Kind kind, bool leaves) {
    std::thread{[=] {
      runtime::ThreadRow row{kind, "ends"};
      if (leaves) row.leave();
    }}.join();
  };
  end_in(runtime::ThreadRecord::log, true);
  end_in(runtime::ThreadRecord::cpu, false);
  EXPECT_TRUE(eventually([&] { return reached(Subject::cpu, Level::stalled) == 1; }));
  EXPECT_TRUE(eventually([&] { return dump.verdict.load() == static_cast<int>(Verdict::ended); }));
  EXPECT_EQ(reached(Subject::cpu, Level::hung), 0) << "others do its work";
  end_in(runtime::ThreadRecord::log, false);
  EXPECT_TRUE(eventually([&] { return reached(Subject::log, Level::dead) == 1; }));
  for (auto& row : tables.threads()) {
    if (row.name.load() == "ends") row.kind.store(runtime::ThreadRecord::unused);
  }
}

TEST_F(WatchdogThread, MissesTheBeatOfAThreadThatDoesNotComeRound) {
  settings.server_stall = 1s;  // the least limit, which is 3 s
  let_loop_turn();
  start();
  Stuck const stuck;
  auto& row = tables.threads()[40];
  row.name.store("log");
  row.beat_ns.store(runtime::now_ns() - 2'000'000'000);
  row.thread.store(stuck.id());
  row.kind.store(runtime::ThreadRecord::log);

  EXPECT_TRUE(eventually([&] { return reached(Subject::log, Level::stalled) == 1; }));
  auto const log = static_cast<std::size_t>(Subject::log);
  EXPECT_TRUE(eventually(
      [&] { return record().standing[log].load() == static_cast<std::uint8_t>(Verdict::lock); }));
  EXPECT_TRUE(eventually([&] { return dump.verdict.load() == static_cast<int>(Verdict::lock); }));
  row.beat_ns.store(runtime::now_ns());
  EXPECT_TRUE(eventually([&] { return record().standing[log].load() == 0; }));
  row.kind.store(runtime::ThreadRecord::unused);
}

TEST_F(WatchdogThread, TheEmergencyThreadComesRound) {
  start();
  EXPECT_TRUE(eventually([&] {
    for (auto& row : tables.threads()) {
      if (row.kind.load() == runtime::ThreadRecord::emergency && row.beat_ns.load() != 0)
        return true;
    }
    return false;
  }));
}

TEST_F(WatchdogThread, AnswersForAServerWithAThreadThatIsStuckInAnAnswer) {
  settings.server_stall = 300ms;
  let_loop_turn();
  start();
  {
    AnswerMark const stuck{&watchdog->answering(), runtime::now_ns()};
    EXPECT_TRUE(eventually([&] { return record().emergency_since_ns.load() != 0; }));
    EXPECT_TRUE(eventually([&] { return reached(Subject::server, Level::stalled) == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return record().emergency_since_ns.load() == 0; }));
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

// SPDX-License-Identifier: Apache-2.0
// A disk that does not answer: the state directory's, the pinned root's, a file: repository's.
#include <future>

#include <gmock/gmock.h>

#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Something that waits until it is let go.
class Gate {
 public:
  ~Gate() { let_go(); }
  auto job() {
    return [opened = opened_] {
      opened.wait();
      return true;
    };
  }
  void let_go() {
    if (!std::exchange(open_, true)) promise_.set_value();
  }

 private:
  std::promise<void> promise_;
  std::shared_future<void> opened_ = promise_.get_future().share();
  bool open_ = false;
};

runtime::Task<void> until(std::function<bool()> so) {
  while (!so()) co_await runtime::sleep_until({}, "test.wait", runtime::Deadline::after(5ms));
}

class Frozen : public testing::Test {
 protected:
  Frozen() { world_.memory = new_memory(); }
  // As a process has it that was started now.
  std::shared_ptr<TrustMemory> new_memory() {
    TrustMemory::Threads const threads{world_.machine.disk, world_.machine.cpu};
    return std::make_shared<TrustMemory>(world_.folder.path() / "state", threads,
                                         world_.machine.loop.executor());
  }
  void next_version() {
    ++repository_.timestamp.version;
    ++repository_.snapshot.version;
    ++repository_.targets.version;
    world_.serve(publish(repository_));
  }
  Files stored() const { return read_folder(world_.folder.path() / "state"); }
  // From now on, and known.
  void freeze_state() {
    auto& disk = world_.machine.disk;
    held_ = disk.start(world_.machine.loop.executor(), gate_.job(), "test.frozen");
    wait_for([&disk] {
      auto const job = disk.longest();
      return job && job->lasted >= TrustMemory::kStands;
    });
  }
  void freeze(std::filesystem::path file) {
    runtime::FileAsk const ask{.name = "test.frozen", .file = std::move(file)};
    held_ = world_.machine.files.start(world_.machine.loop.executor(), ask, gate_.job());
  }
  void wait_for(std::function<bool()> so) { world_.machine.loop.block_on(until(std::move(so))); }

  Repository repository_ = a_repository(kNow);
  ProbeWorld world_{publish(repository_)};
  std::optional<runtime::Job<bool>> held_;
  Gate gate_;
};

TEST_F(Frozen, StateDirectoryStopsNoProbingButIsTold) {
  ASSERT_EQ(bad(world_.run()), "");
  freeze_state();
  next_version();
  auto const report = world_.run();
  std::string const folder = (world_.folder.path() / "state").string();
  EXPECT_EQ(bad(report), "warning store " + folder + " (internal)\n");
  EXPECT_THAT(findings(report, "store")[0].message,
              HasSubstr("what was verified is not written down since"));
  EXPECT_THAT(findings(report, "store")[0].message, HasSubstr(folder + " does not answer"));
  EXPECT_TRUE(report.complete);
}

TEST_F(Frozen, StateDirectoryIsToldWhereThereIsNothingToWrite) {
  ASSERT_EQ(bad(world_.run()), "");
  freeze_state();
  auto const report = world_.run();
  ASSERT_EQ(findings(report, "store").size(), 1U);
  EXPECT_THAT(findings(report, "store")[0].message, HasSubstr("does not answer"));
  EXPECT_THAT(findings(report, "store")[0].message,
              HasSubstr("what was verified so far is written down"));
}

TEST_F(Frozen, StateDirectoryHidesNoRollback) {
  Published const old = publish(repository_);
  next_version();
  ASSERT_EQ(bad(world_.run()), "");
  freeze_state();
  Published const newer = publish(repository_);
  next_version();
  EXPECT_THAT(bad(world_.run()), HasSubstr("warning store"));
  for (auto const& before : {old, newer}) {
    world_.serve(before);
    EXPECT_THAT(bad(world_.run()), HasSubstr("critical rollback timestamp (rollback)"));
  }
}

// The newest of each file, once.
TEST_F(Frozen, StateDirectoryIsWrittenOnceItAnswers) {
  ASSERT_EQ(bad(world_.run()), "");
  freeze_state();
  for (int i = 0; i < 3; ++i) {
    next_version();
    EXPECT_THAT(bad(world_.run()), HasSubstr("warning store"));
  }
  EXPECT_NE(stored().at("timestamp.json"), publish(repository_).metadata.at("timestamp.json"));
  gate_.let_go();
  wait_for([this] { return !world_.memory->behind(); });
  EXPECT_EQ(stored().at("timestamp.json"), publish(repository_).metadata.at("timestamp.json"));
  EXPECT_EQ(bad(world_.run()), "");
}

TEST_F(Frozen, StateDirectoryGetsNothingMoreOfWhatWasAbandoned) {
  ASSERT_EQ(bad(world_.run()), "");
  auto const before = stored();
  freeze_state();
  next_version();
  EXPECT_THAT(bad(world_.run()), HasSubstr("warning store"));
  ASSERT_TRUE(world_.memory->behind());
  world_.machine.loop.block_on([](TrustMemory& memory) -> runtime::Task<void> {
    memory.abandon();
    co_return;
  }(*world_.memory));
  gate_.let_go();
  next_version();
  world_.run();  // one that goes on still
  wait_for([this] { return world_.machine.disk.queued() == 0 && !world_.machine.disk.longest(); });
  EXPECT_EQ(stored().at("snapshot.json"), before.at("snapshot.json"));
}

TEST_F(Frozen, StateDirectoryAtTheStartLeavesEarlierProcessesUnknown) {
  Published const old = publish(repository_);
  next_version();
  ASSERT_EQ(bad(world_.run()), "");
  world_.memory = new_memory();
  freeze_state();
  world_.serve(old);
  auto const report = world_.run();
  EXPECT_EQ(bad(report),
            "warning store " + (world_.folder.path() / "state").string() + " (internal)\n");
  EXPECT_THAT(findings(report, "store")[0].message,
              HasSubstr("a rollback against that could not be judged"));
  EXPECT_TRUE(report.complete);
  // What the earlier process trusted is not overwritten by what is older.
  gate_.let_go();
  EXPECT_EQ(bad(world_.run()), "critical rollback timestamp (rollback)\n");
}

TEST_F(Frozen, StateDirectoryAtTheStartForgetsNothingOfThisProcessOnceItAnswers) {
  ASSERT_EQ(bad(world_.run()), "");
  world_.memory = new_memory();
  freeze_state();
  next_version();
  Published const between = publish(repository_);
  next_version();
  EXPECT_THAT(bad(world_.run()), HasSubstr("warning store"));
  gate_.let_go();
  world_.serve(between);
  EXPECT_EQ(bad(world_.run()), "critical rollback timestamp (rollback)\n");
}

TEST_F(Frozen, PinnedRootThatWasReadBeforeIsAWarning) {
  ASSERT_EQ(bad(world_.run()), "");
  freeze(world_.spec.root);
  auto const report = world_.run();
  EXPECT_EQ(bad(report), "warning files " + world_.spec.root.string() + " (internal)\n");
  EXPECT_THAT(findings(report, "files")[0].message,
              HasSubstr(world_.spec.root.string() + " waits for the disk: no answer for "));
  EXPECT_TRUE(report.complete);
}

TEST_F(Frozen, PinnedRootThatWasNeverReadIsUnknown) {
  freeze(world_.spec.root);
  world_.timeout = 400ms;
  auto const report = world_.run();
  EXPECT_EQ(bad(report), "unknown root_chain root (internal)\n");
  EXPECT_THAT(findings(report, "root_chain")[0].message,
              HasSubstr(world_.spec.root.string() + " waits for the disk: no answer for "));
}

TEST_F(Frozen, RepositoryOfFilesIsUnknownAndNotAccused) {
  Published const published = publish(repository_);
  auto const there = world_.folder.path() / "there";
  write_folder(there, published.metadata);
  auto const frozen = there / "2.root.json";
  world_.spec.metadata_url = file_url(there);
  world_.timeout = 400ms;
  freeze(frozen);
  auto const report = world_.run();
  EXPECT_EQ(bad(report), "unknown reachable " + file_url(frozen).text() + " (internal)\n");
  EXPECT_THAT(findings(report, "reachable")[0].message,
              HasSubstr("could not be looked at: " + frozen.string() +
                        " waits for the disk: no answer for "));
}

}  // namespace
}  // namespace canary::tuf

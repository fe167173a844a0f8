// SPDX-License-Identifier: Apache-2.0
#include "runtime/file_threads.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <gmock/gmock.h>

#include "runtime/task_group.h"
#include "tests/runtime/running_loop.h"
#include "tests/support/frozen_file.h"

namespace canary::runtime {
namespace {

using support::FrozenFile;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

constexpr FileThreadLimits kQuick{
    .threads = 2, .most = 6, .give_up_after = 100ms, .patience = 10s, .end_wait = 50ms};

// A job that opens it.
auto opening(FrozenFile const& frozen) {
  return [path = frozen.path()] {
    int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file >= 0) ::close(file);
    return 1;
  };
}

FileAsk ask(std::filesystem::path file, std::string key = {}) {
  return {.name = "test.file", .file = std::move(file), .key = std::move(key)};
}

Task<int> seven(FileThreads& files, std::string file) {
  FileAsk what = ask(std::move(file));
  auto const got = co_await files.run({}, std::move(what), [] { return 7; });
  co_return got ? got.value() : -1;
}

Task<std::string> waited_for(FileThreads& files, FrozenFile& frozen, FileAsk how) {
  how.until = how.until.within(20ms);
  auto work = opening(frozen);
  auto const got = co_await files.run({}, std::move(how), std::move(work));
  co_return got ? "an answer" : sentence(got.error());
}

TEST(FileThreads, SayWhichFileWaitsForTheDisk) {
  RunningLoop running;
  FrozenFile frozen;
  FileThreads files{kQuick};
  auto const said = running.block_on(waited_for(files, frozen, ask(frozen.path())));
  EXPECT_THAT(said, StartsWith(frozen.path().string() + " waits for the disk: no answer for 0."));
  frozen.let_go();
}

// As many stand still as there are threads at the start, and one more.
TEST(FileThreads, GoOnBesideThoseThatStandStill) {
  RunningLoop running;
  std::array<FrozenFile, kQuick.threads + 1> frozen;
  FileThreads files{kQuick};
  std::vector<PoolTrouble> troubles;
  files.set_told([&troubles](PoolTrouble const& trouble) { troubles.push_back(trouble); });
  for (auto& each : frozen) {
    running.block_on(waited_for(files, each, ask(each.path())));
    EXPECT_EQ(running.block_on(seven(files, "/healthy")), 7);
  }
  EXPECT_EQ(files.threads(), kQuick.threads + kQuick.threads);
  ASSERT_THAT(troubles, SizeIs(kQuick.threads));
  EXPECT_EQ(troubles[0].kind, PoolTrouble::Kind::given_up);
  EXPECT_EQ(troubles[0].job, "test.file");
  EXPECT_GE(troubles[0].lasted, kQuick.give_up_after);
  for (auto& each : frozen) each.let_go();
}

Task<void> until_threads_are(FileThreads& files, std::size_t wanted) {
  while (files.threads() > wanted) {
    co_await sleep_until({}, "test.wait", Deadline::after(5ms));
    files.look();
  }
}

TEST(FileThreads, EndWhatWasGivenUpOnceItReturns) {
  RunningLoop running;
  std::array<FrozenFile, kQuick.threads> frozen;
  FileThreads files{kQuick};
  for (auto& each : frozen) running.block_on(waited_for(files, each, ask(each.path())));
  EXPECT_EQ(running.block_on(seven(files, "/healthy")), 7);
  EXPECT_EQ(files.threads(), 2 * kQuick.threads);
  for (auto& each : frozen) each.let_go();
  running.block_on(until_threads_are(files, kQuick.threads));
  EXPECT_EQ(running.block_on(seven(files, "/healthy")), 7);
}

TEST(FileThreads, HoldNoMoreThanOneThreadForAKey) {
  RunningLoop running;
  FrozenFile frozen;
  FileThreads files{kQuick};
  for (int i = 0; i < 5; ++i) {
    running.block_on(waited_for(files, frozen, ask(frozen.path(), "a probe")));
  }
  EXPECT_THAT(files.queued(), 0U) << "jobs that nobody waits for are kept";
  EXPECT_EQ(running.block_on(seven(files, "/healthy")), 7);
  EXPECT_EQ(files.threads(), kQuick.threads);
  frozen.let_go();
}

Task<int> one_after_another(FileThreads& files, FrozenFile& frozen) {
  auto const executor = co_await asio::this_coro::executor;
  FileAsk const how = ask(frozen.path(), "a probe");
  auto first = files.start(executor, how, opening(frozen));
  auto second = files.start(executor, how, [] { return 2; });
  frozen.let_go();
  auto const a = co_await files.wait({}, how, std::move(first));
  auto const b = co_await files.wait({}, how, std::move(second));
  co_return a&& b ? a.value() * 10 + b.value() : -1;
}

TEST(FileThreads, RunTheJobsOfAKeyOneAfterAnother) {
  RunningLoop running;
  FrozenFile frozen;
  FileThreads files{kQuick};
  EXPECT_EQ(running.block_on(one_after_another(files, frozen)), 12);
}

TEST(FileThreads, NameTheFileThatHoldsUpTheOthersOfItsKey) {
  RunningLoop running;
  FrozenFile frozen;
  FileThreads files{kQuick};
  running.block_on(waited_for(files, frozen, ask("/first", "a probe")));
  auto const said = running.block_on(waited_for(files, frozen, ask("/second", "a probe")));
  EXPECT_THAT(said, StartsWith("/second waits for the disk: /first has not answered for 0."));
  frozen.let_go();
}

Task<Clock::duration> looked_at_known(FileThreads& files, FrozenFile& frozen) {
  FileAsk how = ask(frozen.path());
  how.known = true;
  auto const began = Clock::now();
  auto work = opening(frozen);
  auto const got = co_await files.run({}, std::move(how), std::move(work));
  co_return got ? Clock::duration::max() : Clock::now() - began;
}

Task<void> until_it_stands(FileThreads& files) {
  while (files.standing().empty()) {
    co_await sleep_until({}, "test.wait", Deadline::after(5ms));
  }
}

// Of what is known already, a file that is known to stand still is not waited for.
TEST(FileThreads, DoNotWaitAgainForWhatStandsStill) {
  RunningLoop running;
  FrozenFile frozen;
  FileThreads files{kQuick};
  EXPECT_GE(running.block_on(looked_at_known(files, frozen)), kQuick.give_up_after);
  running.block_on(until_it_stands(files));
  EXPECT_LT(running.block_on(looked_at_known(files, frozen)), kQuick.give_up_after);
  frozen.let_go();
}

using ManyFrozen = std::array<FrozenFile, 2 * kQuick.threads>;

Task<void> opened(FileThreads& files, FrozenFile const& frozen) {
  FileAsk how = ask(frozen.path());
  auto work = opening(frozen);
  static_cast<void>(co_await files.run({}, std::move(how), std::move(work)));
}

Task<void> known_seven(FileThreads& files, ManyFrozen& frozen, int& seen) {
  FileAsk how = ask("/healthy");
  how.known = true;
  auto const got = co_await files.run({}, std::move(how), [] { return 7; });
  seen = got ? got.value() : -1;
  for (auto& each : frozen) each.let_go();
}

// Twice as many files that stand still as there are threads come first: it takes two rounds of
// giving up before a thread is at the known one, which is longer than a look may take.
Task<int> known_seven_behind(FileThreads& files, ManyFrozen& frozen) {
  int seen = 0;
  TaskGroup group{co_await asio::this_coro::executor};
  for (auto const& each : frozen) group.start(opened(files, each));
  group.start(known_seven(files, frozen, seen));
  co_await group.join({});
  co_return seen;
}

// Its own disk is not at fault for the time that it had to wait for a thread.
TEST(FileThreads, TellOfAKnownFileOnlyOnceAThreadHasBeenAtIt) {
  RunningLoop running;
  ManyFrozen frozen;
  FileThreads files{kQuick};
  EXPECT_EQ(running.block_on(known_seven_behind(files, frozen)), 7);
}

TEST(FileThreads, RefuseWhereAllStandStill) {
  RunningLoop running;
  FrozenFile frozen;
  FileThreads files{kQuick};
  for (std::size_t i = 0; i < kQuick.most; ++i) {
    auto const file = "/frozen" + std::to_string(i);
    running.block_on(waited_for(files, frozen, ask(file)));
    if (i + 1 < kQuick.most) running.block_on(seven(files, "/healthy"));
  }
  EXPECT_EQ(files.threads(), kQuick.most);
  FileAsk how = ask("/another");
  how.until = Deadline::never();
  auto work = waited_for(files, frozen, std::move(how));
  running.block_on(until_it_stands(files));
  auto const patient = [](FileThreads& all) -> Task<std::string> {
    FileAsk what = ask("/another");
    auto const got = co_await all.run({}, std::move(what), [] { return 7; });
    co_return got ? "an answer" : sentence(got.error());
  };
  auto const said = running.block_on(patient(files));
  EXPECT_THAT(said, HasSubstr("/another waits for the disk: all file threads stand still: /frozen0 "
                              "for "));
  frozen.let_go();
}

TEST(FileThreads, EndAlthoughAFileNeverOpens) {
  RunningLoop running;
  FrozenFile frozen;
  auto const began = Clock::now();
  {
    FileThreads files{kQuick};
    running.block_on(waited_for(files, frozen, ask(frozen.path())));
  }
  EXPECT_LT(Clock::now() - began, kQuick.end_wait + 10s);
  frozen.let_go();
}

}  // namespace
}  // namespace canary::runtime

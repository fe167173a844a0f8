// SPDX-License-Identifier: Apache-2.0
// The record of a process that ended, as the next one reads it out of a descriptor that systemd
// kept.
#include "daemon/dump/black_box.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "daemon/dump/helper/work.h"
#include "daemon/dump/read/document.h"
#include "daemon/dump/render/render.h"
#include "runtime/block_on.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/trace.h"
#include "tests/daemon/dump/stuck_child.h"
#include "tests/support/read_file.h"

namespace canary::dump {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr int kFirst = 3;  // the descriptor that systemd hands over first
constexpr std::int64_t kSecond = 1'000'000'000;

std::vector<std::byte> copy_of_the_tables() {
  auto const block = runtime::tables()->block();
  return {block.begin(), block.end()};
}

// As if the process ended in the handler that this runs in.
runtime::Task<void> end_in_a_handler(std::vector<std::byte>* tables) {
  runtime::RunTrace const other{"example", runtime::Deadline::never()};
  runtime::RunTrace const run{"sigstore", runtime::Deadline::never()};
  runtime::Frame const frame{run.trace(), "tuf.timestamp", "timestamp.json"};
  co_await runtime::sleep_until(frame.trace(), "http.read", runtime::Deadline::after(1ms));
  *tables = copy_of_the_tables();
}

std::vector<std::byte> tables_of_a_process_in_a_handler() {
  std::vector<std::byte> tables;
  runtime::Loop loop{{.runs = 16, .operations = 64}};
  loop.start();
  runtime::block_on(loop, end_in_a_handler(&tables), runtime::Deadline::after(20s));
  return tables;
}

// Changes what the bytes say; they are aligned as the records want it meanwhile.
template <class Change>
void change(std::vector<std::byte>& bytes, Change change) {
  TablesCopy copy{bytes.size()};
  std::ranges::copy(bytes, copy.bytes().begin());
  runtime::Tables tables{copy.bytes()};
  change(tables);
  std::ranges::copy(copy.bytes(), bytes.begin());
}

class BlackBoxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    runtime::make_tables({.runs = 16, .operations = 64});
    for (int i = 0; i < 2; ++i) saved_[i] = ::fcntl(kFirst + i, F_DUPFD_CLOEXEC, 20);
  }
  void TearDown() override {
    for (int i = 0; i < 2; ++i) {
      ::close(kFirst + i);
      if (saved_[i] >= 0) ::dup2(saved_[i], kFirst + i);
      if (saved_[i] >= 0) ::close(saved_[i]);
    }
    for (auto const* each : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(each);
  }

  static int memory_with(std::vector<std::byte> const& bytes) {
    int const memory = ::memfd_create("test", MFD_CLOEXEC);
    EXPECT_EQ(::write(memory, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    return memory;
  }
  // As systemd does; takes the descriptors.
  static void hand_over(std::vector<int> const& descriptors, char const* names,
                        pid_t process = ::getpid()) {
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
      int const wanted = kFirst + static_cast<int>(i);
      ASSERT_EQ(::dup2(descriptors[i], wanted), wanted);  // inherited over exec, as systemd's are
      if (descriptors[i] != wanted) ::close(descriptors[i]);
    }
    ::setenv("LISTEN_PID", std::to_string(process).c_str(), 1);
    ::setenv("LISTEN_FDS", std::to_string(descriptors.size()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", names, 1);
  }
  static BlackBox read(std::vector<std::byte> const& bytes) {
    hand_over({memory_with(bytes)}, "canaryd-tables");
    auto handed_over = take_handed_over();
    return read_black_box(handed_over, runtime::now_ns(), kWall);
  }

  static constexpr std::int64_t kWall = 1'700'000'000 * kSecond;
  TempDirectory directory_;

 private:
  int saved_[2] = {-1, -1};
};

TEST_F(BlackBoxTest, IsNotFoundWhereSystemdHandsOverNothing) {
  auto handed_over = take_handed_over();
  auto const box = read_black_box(handed_over, runtime::now_ns(), kWall);

  EXPECT_FALSE(box.found);
  EXPECT_FALSE(box.words.known);
  EXPECT_EQ(box.trouble, "");
}

TEST_F(BlackBoxTest, TellsTheHandlerThatRanAndTheRunsThatWereGoingOn) {
  auto const box = read(tables_of_a_process_in_a_handler());

  EXPECT_EQ(box.trouble, "");
  ASSERT_TRUE(box.words.known);
  EXPECT_TRUE(box.words.in_run);
  EXPECT_EQ(box.words.process, ::getpid());
  EXPECT_GT(box.words.handler_ns, 0);
  EXPECT_STREQ(box.words.run.data(), "sigstore");
  EXPECT_THAT(box.words.site.data(), HasSubstr("tests/daemon/dump/black_box_test.cc:"));
  EXPECT_THAT(box.going_on, UnorderedElementsAre("sigstore", "example"));
  EXPECT_EQ(box.words.runs, 2u);
  EXPECT_THAT(last_act(box), HasSubstr("of sigstore"));
}

TEST_F(BlackBoxTest, TheEndIsWhenItsWatchdogLastLooked) {
  auto bytes = tables_of_a_process_in_a_handler();
  std::int64_t const now = runtime::now_ns();
  change(bytes, [&](runtime::Tables& tables) {
    auto& row = tables.threads()[40];
    row.kind.store(runtime::ThreadRecord::watchdog);
    row.job_since_ns.store(now - 1'000'000);
  });
  hand_over({memory_with(bytes)}, "canaryd-tables");
  auto handed_over = take_handed_over();

  auto const box = read_black_box(handed_over, now + 7 * kSecond, kWall);

  EXPECT_EQ(box.ended_ns, now - 1'000'000);
  EXPECT_EQ(box.words.ended_wall_ns, kWall - 7 * kSecond - 1'000'000);
}

TEST_F(BlackBoxTest, ALoopThatLeftRunEndedInOrder) {
  auto bytes = tables_of_a_process_in_a_handler();
  change(bytes, [](auto& tables) { tables.loop().state.store(runtime::LoopRecord::left_run); });

  auto const box = read(bytes);

  EXPECT_TRUE(box.words.known);
  EXPECT_FALSE(box.words.in_run);
}

TEST_F(BlackBoxTest, OfAnotherBuildHasNoNamesButSaysSo) {
  auto bytes = tables_of_a_process_in_a_handler();
  change(bytes, [](auto& tables) { tables.header().build_id[0] ^= 1; });

  auto const box = read(bytes);

  EXPECT_THAT(box.trouble, HasSubstr("another build"));
  ASSERT_TRUE(box.words.known);
  EXPECT_GT(box.words.handler_ns, 0);
  EXPECT_STREQ(box.words.run.data(), "sigstore") << "copied text, not an offset";
  EXPECT_STREQ(box.words.site.data(), "");
}

TEST_F(BlackBoxTest, OfAnotherLayoutIsRefused) {
  auto bytes = tables_of_a_process_in_a_handler();
  change(bytes, [](auto& tables) { tables.header().run_bytes += 8; });

  auto const box = read(bytes);

  EXPECT_TRUE(box.found);
  EXPECT_FALSE(box.words.known);
  EXPECT_THAT(box.trouble, HasSubstr("another version"));
}

TEST_F(BlackBoxTest, MoreRecordsThanBytesAreRefused) {
  auto bytes = tables_of_a_process_in_a_handler();
  change(bytes, [](auto& tables) { tables.header().runs = 0xFFFF'FFFF; });

  EXPECT_FALSE(read(bytes).words.known);
}

// Whatever stands in the records: sizes, offsets, indices and times are none of ours.
TEST_F(BlackBoxTest, DamagedContentIsSurvived) {
  auto const good = tables_of_a_process_in_a_handler();
  std::mt19937 random{7};
  for (int round = 0; round < 24; ++round) {
    auto bytes = good;
    for (std::size_t i = sizeof(runtime::TablesHeader); i < bytes.size(); ++i) {
      if (round == 0 || random() % 4 == 0) bytes[i] = static_cast<std::byte>(random());
    }
    hand_over({memory_with(bytes)}, "canaryd-tables");
    auto handed_over = take_handed_over();
    auto box = read_black_box(handed_over, runtime::now_ns(), kWall);
    ASSERT_TRUE(box.words.known);
    EXPECT_FALSE(last_act(box).empty());
    ASSERT_EQ(write_post_mortem(box, handed_over, directory_.path(), "canaryd 1\n"), "");
    Work work{{}};
    EXPECT_THAT(render_text(work.read(box.words.dump.data())), HasSubstr("had ended"));
    std::filesystem::remove(box.words.dump.data());
  }
}

TEST_F(BlackBoxTest, ThePostMortemIsADumpThatTheHelperFinishes) {
  hand_over({memory_with(tables_of_a_process_in_a_handler())}, "canaryd-tables");
  auto handed_over = take_handed_over();
  auto box = read_black_box(handed_over, runtime::now_ns(), kWall);
  std::string const runtime = directory_.path() + "/runtime", state = directory_.path() + "/state";
  std::filesystem::create_directory(runtime);

  ASSERT_EQ(write_post_mortem(box, handed_over, runtime, "canaryd 1\n"), "");
  std::string const path = box.words.dump.data();
  EXPECT_EQ(path, runtime + "/post-mortem-" + std::to_string(::getpid()) + ".raw");
  Work work{{.runtime = runtime, .state = state}};
  work.finish_leftovers();

  std::string const text =
      support::read_file(state + "/post-mortem-" + std::to_string(::getpid()) + ".txt");
  EXPECT_THAT(text, HasSubstr("canaryd: process " + std::to_string(::getpid()) +
                              " had ended; a handler had run for"));
  EXPECT_THAT(text, HasSubstr("sigstore > tuf.timestamp(timestamp.json)"));
  EXPECT_THAT(text, HasSubstr("ITS HANDLER RUNS NOW"));
  EXPECT_THAT(text, HasSubstr("written by the process after it"));
  EXPECT_THAT(text, HasSubstr("canaryd 1"));
  EXPECT_THAT(text, Not(HasSubstr("DESCRIPTORS"))) << "nobody knows them any more";
  EXPECT_THAT(text, Not(HasSubstr("MISSING")));
}

TEST_F(BlackBoxTest, ASecondPostMortemOfTheSameProcessHasANameOfItsOwn) {
  hand_over({memory_with(tables_of_a_process_in_a_handler())}, "canaryd-tables");
  auto handed_over = take_handed_over();
  auto box = read_black_box(handed_over, runtime::now_ns(), kWall);

  ASSERT_EQ(write_post_mortem(box, handed_over, directory_.path(), ""), "");
  ASSERT_EQ(write_post_mortem(box, handed_over, directory_.path(), ""), "");

  EXPECT_THAT(box.words.dump.data(), HasSubstr("-2.raw"));
}

TEST_F(BlackBoxTest, APostMortemThatCannotBeWrittenSaysWhere) {
  hand_over({memory_with(tables_of_a_process_in_a_handler())}, "canaryd-tables");
  auto handed_over = take_handed_over();
  auto box = read_black_box(handed_over, runtime::now_ns(), kWall);

  EXPECT_THAT(write_post_mortem(box, handed_over, directory_.path() + "/none", ""),
              HasSubstr("/none/post-mortem-"));
  EXPECT_STREQ(box.words.dump.data(), "");
}

TEST_F(BlackBoxTest, WhatIsHandedOverIsClosedAndForgotten) {
  auto const bytes = tables_of_a_process_in_a_handler();
  hand_over({memory_with({}), memory_with(bytes)}, "socket:canaryd-tables");

  auto const handed_over = take_handed_over();

  EXPECT_FALSE(handed_over.tables.empty());
  EXPECT_EQ(handed_over.unclaimed, "socket");
  EXPECT_EQ(::fcntl(kFirst, F_GETFD), -1);
  EXPECT_EQ(::fcntl(kFirst + 1, F_GETFD), -1);
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr);
  EXPECT_EQ(::getenv("LISTEN_FDNAMES"), nullptr);
}

TEST_F(BlackBoxTest, SocketsThatListenAreKeptForWhoServesOnThem) {
  int const listener = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  int const high = ::fcntl(listener, F_DUPFD_CLOEXEC, 20);
  ::close(listener);
  hand_over({memory_with({}), high}, "other:canaryd.socket");

  auto const handed_over = take_handed_over();

  EXPECT_EQ(handed_over.unclaimed, "other");
  EXPECT_THAT(handed_over.listeners, ::testing::ElementsAre(kFirst + 1));
  EXPECT_EQ(::fcntl(kFirst + 1, F_GETFD), FD_CLOEXEC) << "no child gets it";
  ::close(kFirst + 1);
}

TEST_F(BlackBoxTest, WhatIsMeantForAnotherProcessIsLeftAlone) {
  hand_over({memory_with(tables_of_a_process_in_a_handler())}, "canaryd-tables", ::getppid());

  auto const handed_over = take_handed_over();

  EXPECT_TRUE(handed_over.tables.empty());
  EXPECT_NE(::fcntl(kFirst, F_GETFD), -1);
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr) << "but no child is to believe in it";
}

TEST_F(BlackBoxTest, TheLatestOfSeveralTablesIsTaken) {
  auto old = tables_of_a_process_in_a_handler();
  auto latest = old;
  change(latest, [](auto& tables) {
    tables.header().process = 4711;
    tables.header().started_monotonic_ns += 1;
  });
  hand_over({memory_with(latest), memory_with(old)}, "canaryd-tables:canaryd-tables");

  auto handed_over = take_handed_over();

  EXPECT_EQ(read_black_box(handed_over, runtime::now_ns(), kWall).words.process, 4711);
}

TEST_F(BlackBoxTest, WhatIsNoFileOfTablesIsRefused) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  int const end = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 20);
  ::close(ends[0]);
  ::close(ends[1]);
  hand_over({end}, "canaryd-tables");

  auto handed_over = take_handed_over();

  EXPECT_TRUE(handed_over.tables.empty());
  EXPECT_THAT(handed_over.trouble, HasSubstr("none of ours"));
}

}  // namespace
}  // namespace canary::dump

// SPDX-License-Identifier: Apache-2.0
// What outlives the process, and what does not.
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/act/memory_file.h"
#include "daemon/watchdog/act/memory_writer.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;
constexpr std::int64_t kWall = 1'700'000'000 * kS;

class Remembering : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/canaryd-memory-XXXXXX";
    directory = ::mkdtemp(pattern);
    file = directory / "watchdog-memory";
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  // A start that is given `at`, notes something, and ends.
  template <class Note>
  void life(std::int64_t at, Note note) {
    MemoryWriter writer{file};
    ASSERT_EQ(writer.trouble(), "");
    auto& block = writer.block();
    fill(block, begin_memory(writer.found(), at, 7, "boot-a"));
    writer.begin();
    Memory memory;
    block.memory.load(memory);
    note(memory, block.culprits);
    block.memory.store(memory);
    block.alive_wall_ns = memory.alive_wall_ns;
    ++block.changes;
    writer.end();
  }

  std::filesystem::path directory, file;
};

TEST_F(Remembering, TheFirstStartKnowsNothing) {
  auto const previous = previous_run(load_memory(file).memory, kWall, "boot-a");

  EXPECT_FALSE(previous.known);
  EXPECT_EQ(previous.restarts, 0u);
}

TEST_F(Remembering, AStallAndHowLongItWasBlind) {
  life(kWall, [](Memory& memory, Culprits&) {
    memory.has_stall = 1;
    memory.stall.wall_ns = kWall + 5 * kS;
    memory.stall.incident.subject = Subject::loop;
    memory.stall.incident.verdict = Verdict::lock;
    copy_text(memory.stall.site, "steady_timer a.cc:7");
    memory.alive_wall_ns = kWall + 40 * kS;
  });

  auto const previous = previous_run(load_memory(file).memory, kWall + 50 * kS, "boot-a");

  EXPECT_TRUE(previous.known);
  EXPECT_FALSE(previous.clean);
  EXPECT_TRUE(previous.same_boot);
  EXPECT_EQ(previous.blind_ns, 10 * kS);
  EXPECT_EQ(previous.restarts, 1u);
  ASSERT_TRUE(previous.has_stall);
  EXPECT_EQ(previous.stall.incident.verdict, Verdict::lock);
  EXPECT_STREQ(previous.stall.site.data(), "steady_timer a.cc:7");
}

TEST_F(Remembering, HowTheLastOneEnded) {
  life(kWall, [](Memory&, Culprits&) {});
  EXPECT_EQ(previous_run(load_memory(file).memory, kWall, "boot-a").end, End::killed);
  EXPECT_EQ(previous_run(load_memory(file).memory, kWall, "boot-b").end, End::unknown)
      << "the machine went down with it";

  life(kWall, [](Memory& memory, Culprits&) { memory.hung = 1; });
  EXPECT_EQ(previous_run(load_memory(file).memory, kWall, "boot-a").end, End::aborted);

  life(kWall, [](Memory& memory, Culprits&) { memory.clean = 1; });
  EXPECT_EQ(previous_run(load_memory(file).memory, kWall, "boot-a").end, End::orderly);
}

TEST_F(Remembering, ALoopThatHungOnceDoesNotAccuseTheNextProcess) {
  life(kWall, [](Memory& memory, Culprits&) { memory.hung = 1; });
  life(kWall + kS, [](Memory&, Culprits&) {});

  EXPECT_EQ(previous_run(load_memory(file).memory, kWall + 2 * kS, "boot-a").end, End::killed);
}

TEST_F(Remembering, WithoutAMemoryTheTablesTellWhetherTheEndWasOrderly) {
  CrashRecord words{.known = true, .in_run = false};
  EXPECT_EQ(previous_run({}, kWall, "boot-a", words).end, End::orderly);
  words.in_run = true;
  EXPECT_EQ(previous_run({}, kWall, "boot-a", words).end, End::unknown);
  EXPECT_TRUE(previous_run({}, kWall, "boot-a", words).crash.known);
}

TEST_F(Remembering, CountsUncleanRestartsInARow) {
  life(kWall, [](Memory&, Culprits&) {});
  life(kWall + kS, [](Memory&, Culprits&) {});

  EXPECT_EQ(previous_run(load_memory(file).memory, kWall + 2 * kS, "boot-a").restarts, 2u);
}

TEST_F(Remembering, ACleanStopIsNoRestartButTheStallStaysToBeSeen) {
  life(kWall, [](Memory& memory, Culprits& culprits) {
    memory.has_stall = 1;
    note_culprit(culprits, "bad", kWall, 1, 600 * kS);
    memory.clean = 1;
  });

  auto const last = load_memory(file);
  auto const previous = previous_run(last.memory, kWall + kS, "boot-a");
  auto const next = begin_memory(last, kWall + kS, 8, "boot-a");

  EXPECT_TRUE(previous.clean);
  EXPECT_EQ(previous.restarts, 0u);
  EXPECT_TRUE(previous.has_stall);
  EXPECT_EQ(next.memory.unclean_restarts, 0u);
  EXPECT_EQ(last.culprits.size(), 1u);
  EXPECT_TRUE(next.culprits.empty()) << "a clean start gives everybody another chance";
}

TEST_F(Remembering, AnUncleanEndKeepsTheQuarantineOfEveryProbe) {
  life(kWall, [](Memory&, Culprits& culprits) {
    for (int i = 0; i < 1'000; ++i) {
      note_culprit(culprits, "bad-" + std::to_string(i), kWall, 1, 600 * kS);
    }
  });

  auto const next = begin_memory(load_memory(file), kWall + kS, 8, "boot-a");

  ASSERT_EQ(next.culprits.size(), 1'000u);
  EXPECT_EQ(next.culprits[999].quarantined, 1u);
  EXPECT_STREQ(next.culprits[999].probe.data(), "bad-999");
}

TEST_F(Remembering, StallsBeforeARestartCountTowardsTheQuarantine) {
  for (std::int64_t i = 0; i < 2; ++i) {
    life(kWall + i * 60 * kS, [&](Memory&, Culprits& culprits) {
      EXPECT_FALSE(note_culprit(culprits, "bad", kWall + i * 60 * kS, 3, 600 * kS));
    });
  }
  life(kWall + 120 * kS, [](Memory&, Culprits& culprits) {
    EXPECT_TRUE(note_culprit(culprits, "bad", kWall + 120 * kS, 3, 600 * kS));
  });
}

TEST_F(Remembering, OnlyTheAliveTimeIsRewrittenEachSecond) {
  auto memory = begin_memory({}, kWall, 7, "boot-a");
  MemoryFile out;
  ASSERT_EQ(out.open(file), "");
  ASSERT_TRUE(out.write(memory));
  ASSERT_TRUE(out.write_alive(kWall + 9 * kS));
  out.close();

  EXPECT_EQ(load_memory(file).memory.alive_wall_ns, kWall + 9 * kS) << "the checksum still holds";
}

// A FIFO without a writer is as a disk that does not answer.
TEST_F(Remembering, AFileThatNeverOpensHoldsUpNobodyForLong) {
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  auto const began = std::chrono::steady_clock::now();
  {
    MemoryWriter writer{file};
    EXPECT_THAT(writer.trouble(), testing::HasSubstr("does not answer"));
    fill(writer.block(), begin_memory(writer.found(), kWall, 7, "boot-a"));
    writer.begin();
    writer.end(std::chrono::milliseconds{100});
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{30});
  // Lets its thread go.
  std::ofstream{file};
}

TEST_F(Remembering, ADamagedFileIsNothing) {
  life(kWall, [](Memory& memory, Culprits&) { memory.has_stall = 1; });
  {
    std::fstream damage{file, std::ios::binary | std::ios::in | std::ios::out};
    damage.seekp(200);
    damage.put('\x5A');
  }

  EXPECT_FALSE(previous_run(load_memory(file).memory, kWall, "boot-a").known);
}

TEST_F(Remembering, ACutOrForeignFileIsNothing) {
  std::ofstream{file} << "canaryd";
  EXPECT_FALSE(previous_run(load_memory(file).memory, kWall, "boot-a").known);

  std::ofstream{file} << std::string(sizeof(Memory) + 10, 'x');
  EXPECT_FALSE(previous_run(load_memory(file).memory, kWall, "boot-a").known);
}

TEST_F(Remembering, AFolderThatCannotBeMadeIsToldByName) {
  MemoryFile out;
  std::ofstream{directory / "file"} << "x";

  EXPECT_THAT(out.open(directory / "file" / "memory"), testing::HasSubstr("file/memory: "));
}

}  // namespace
}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What outlives the process, and what does not.
#include "daemon/watchdog/last_stall.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/fixed_text.h"

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
    Memory memory = begin_memory(load_memory(file), at, 7, "boot-a");
    MemoryFile out;
    ASSERT_EQ(out.open(file), "");
    note(memory);
    ASSERT_TRUE(out.write(memory));
    out.close();
  }

  std::filesystem::path directory, file;
};

TEST_F(Remembering, TheFirstStartKnowsNothing) {
  auto const previous = previous_run(load_memory(file), kWall, "boot-a");

  EXPECT_FALSE(previous.known);
  EXPECT_EQ(previous.restarts, 0u);
}

TEST_F(Remembering, AStallAndHowLongItWasBlind) {
  life(kWall, [](Memory& memory) {
    memory.has_stall = 1;
    memory.stall.wall_ns = kWall + 5 * kS;
    memory.stall.episode.subject = Subject::loop;
    memory.stall.episode.verdict = Verdict::lock;
    copy_text(memory.stall.site, "steady_timer a.cc:7");
    memory.alive_wall_ns = kWall + 40 * kS;
  });

  auto const previous = previous_run(load_memory(file), kWall + 50 * kS, "boot-a");

  EXPECT_TRUE(previous.known);
  EXPECT_FALSE(previous.clean);
  EXPECT_TRUE(previous.same_boot);
  EXPECT_EQ(previous.blind_ns, 10 * kS);
  EXPECT_EQ(previous.restarts, 1u);
  ASSERT_TRUE(previous.has_stall);
  EXPECT_EQ(previous.stall.episode.verdict, Verdict::lock);
  EXPECT_STREQ(previous.stall.site.data(), "steady_timer a.cc:7");
}

TEST_F(Remembering, HowTheLastOneEnded) {
  life(kWall, [](Memory&) {});
  EXPECT_EQ(previous_run(load_memory(file), kWall, "boot-a").end, End::killed);
  EXPECT_EQ(previous_run(load_memory(file), kWall, "boot-b").end, End::unknown)
      << "the machine went down with it";

  life(kWall, [](Memory& memory) { memory.hung = 1; });
  EXPECT_EQ(previous_run(load_memory(file), kWall, "boot-a").end, End::aborted);

  life(kWall, [](Memory& memory) { memory.clean = 1; });
  EXPECT_EQ(previous_run(load_memory(file), kWall, "boot-a").end, End::orderly);
}

TEST_F(Remembering, ALoopThatHungOnceDoesNotAccuseTheNextProcess) {
  life(kWall, [](Memory& memory) { memory.hung = 1; });
  life(kWall + kS, [](Memory&) {});

  EXPECT_EQ(previous_run(load_memory(file), kWall + 2 * kS, "boot-a").end, End::killed);
}

TEST_F(Remembering, WithoutAMemoryTheTablesTellWhetherTheEndWasOrderly) {
  LastWords words{.known = true, .in_run = false};
  EXPECT_EQ(previous_run({}, kWall, "boot-a", words).end, End::orderly);
  words.in_run = true;
  EXPECT_EQ(previous_run({}, kWall, "boot-a", words).end, End::unknown);
  EXPECT_TRUE(previous_run({}, kWall, "boot-a", words).last_words.known);
}

TEST_F(Remembering, CountsUncleanRestartsInARow) {
  life(kWall, [](Memory&) {});
  life(kWall + kS, [](Memory&) {});

  EXPECT_EQ(previous_run(load_memory(file), kWall + 2 * kS, "boot-a").restarts, 2u);
}

TEST_F(Remembering, ACleanStopIsNoRestartButTheStallStaysToBeSeen) {
  life(kWall, [](Memory& memory) {
    memory.has_stall = 1;
    blame(memory, "bad", kWall, 1, 600 * kS);
    memory.clean = 1;
  });

  auto const last = load_memory(file);
  auto const previous = previous_run(last, kWall + kS, "boot-a");
  auto const next = begin_memory(last, kWall + kS, 8, "boot-a");

  EXPECT_TRUE(previous.clean);
  EXPECT_EQ(previous.restarts, 0u);
  EXPECT_TRUE(previous.has_stall);
  EXPECT_EQ(next.unclean_restarts, 0u);
  EXPECT_EQ(next.culprits[0].quarantined, 0u) << "a clean start gives everybody another chance";
}

TEST_F(Remembering, AnUncleanEndKeepsTheQuarantine) {
  life(kWall, [](Memory& memory) { blame(memory, "bad", kWall, 1, 600 * kS); });

  auto const next = begin_memory(load_memory(file), kWall + kS, 8, "boot-a");

  EXPECT_EQ(next.culprits[0].quarantined, 1u);
  EXPECT_STREQ(next.culprits[0].probe.data(), "bad");
}

TEST_F(Remembering, StallsBeforeARestartCountTowardsTheQuarantine) {
  for (int i = 0; i < 2; ++i) {
    life(kWall + i * 60 * kS, [&](Memory& memory) {
      EXPECT_FALSE(blame(memory, "bad", kWall + i * 60 * kS, 3, 600 * kS));
    });
  }
  life(kWall + 120 * kS,
       [](Memory& memory) { EXPECT_TRUE(blame(memory, "bad", kWall + 120 * kS, 3, 600 * kS)); });
}

TEST_F(Remembering, OnlyTheAliveTimeIsRewrittenEachSecond) {
  Memory memory = begin_memory({}, kWall, 7, "boot-a");
  MemoryFile out;
  ASSERT_EQ(out.open(file), "");
  out.write(memory);
  out.write_alive(memory, kWall + 9 * kS);
  out.close();

  EXPECT_EQ(load_memory(file).alive_wall_ns, kWall + 9 * kS) << "and the checksum still holds";
}

TEST_F(Remembering, ADamagedFileIsNothing) {
  life(kWall, [](Memory& memory) { memory.has_stall = 1; });
  {
    std::fstream damage{file, std::ios::binary | std::ios::in | std::ios::out};
    damage.seekp(200);
    damage.put('\x5A');
  }

  EXPECT_FALSE(previous_run(load_memory(file), kWall, "boot-a").known);
}

TEST_F(Remembering, ACutOrForeignFileIsNothing) {
  std::ofstream{file} << "canaryd";
  EXPECT_FALSE(previous_run(load_memory(file), kWall, "boot-a").known);

  std::ofstream{file} << std::string(sizeof(Memory) + 10, 'x');
  EXPECT_FALSE(previous_run(load_memory(file), kWall, "boot-a").known);
}

TEST_F(Remembering, AFolderThatCannotBeMadeIsToldByName) {
  MemoryFile out;
  std::ofstream{directory / "file"} << "x";

  EXPECT_THAT(out.open(directory / "file" / "memory"), testing::HasSubstr("file/memory: "));
}

TEST(Blame, OutsideOfTheWindowDoesNotCount) {
  Memory memory;

  EXPECT_FALSE(blame(memory, "a", kWall, 2, 60 * kS));
  EXPECT_FALSE(blame(memory, "a", kWall + 61 * kS, 2, 60 * kS));
  EXPECT_TRUE(blame(memory, "a", kWall + 62 * kS, 2, 60 * kS));
  EXPECT_FALSE(blame(memory, "a", kWall + 63 * kS, 2, 60 * kS)) << "told once";
}

TEST(Blame, ManyCulpritsDoNotPushAQuarantinedOneOut) {
  Memory memory;
  ASSERT_TRUE(blame(memory, "bad", kWall, 1, 60 * kS));

  for (int i = 0; i < 100; ++i) {
    blame(memory, "once-" + std::to_string(i), kWall + i, 3, 60 * kS);
  }

  EXPECT_STREQ(memory.culprits[0].probe.data(), "bad");
  EXPECT_EQ(memory.culprits[0].quarantined, 1u);
}

TEST(Blame, FindsAPlaceWhereAllAreQuarantined) {
  Memory memory;
  for (std::size_t i = 0; i < memory.culprits.size(); ++i) {
    ASSERT_TRUE(blame(memory, "bad-" + std::to_string(i), kWall, 1, 60 * kS));
  }

  EXPECT_TRUE(blame(memory, "one more", kWall, 1, 60 * kS));
}

}  // namespace
}  // namespace canary::watchdog

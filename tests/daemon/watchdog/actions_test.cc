// SPDX-License-Identifier: Apache-2.0
// What a judgement leads to: levels, dumps, folding.
#include "daemon/watchdog/actions.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/fixed_text.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;

Episode loop_stall(Level level, std::int64_t age, std::uint32_t line = 7) {
  Episode episode;
  episode.subject = Subject::loop;
  episode.level = level;
  episode.verdict = Verdict::cpu_loop;
  episode.run = 3;
  episode.age_ns = age;
  episode.line = line;
  copy_text(episode.name, "example");
  return episode;
}

Episode run_stall(Level level, std::uint16_t run = 4, std::uint32_t generation = 1) {
  Episode episode;
  episode.subject = Subject::run;
  episode.level = level;
  episode.verdict = Verdict::stalled_run;
  episode.run = run;
  episode.generation = generation;
  episode.age_ns = 60 * kS;
  return episode;
}

// A round with one judgement.
Step round(Book& book, Episode const& judged, std::int64_t now, bool grace = false) {
  book.begin(grace);
  Step const step = book.report(judged, now);
  Step over;
  while (book.end(now, over)) {
  }
  return step;
}

// A round in which all is well; gives what ended.
std::vector<Step> calm(Book& book, std::int64_t now) {
  book.begin(false);
  std::vector<Step> ended;
  Step over;
  while (book.end(now, over)) ended.push_back(over);
  return ended;
}

TEST(Book, CountsAndTellsOfASuspicionWithoutADump) {
  Book book;

  auto const step = round(book, loop_stall(Level::suspect, kS / 4), kS);

  EXPECT_EQ(step.effects, Effect::count | Effect::log);
}

TEST(Book, GoesThroughTheLevelsOfADyingLoop) {
  Book book;
  round(book, loop_stall(Level::suspect, kS / 4), 1 * kS);

  auto const stalled = round(book, loop_stall(Level::stalled, kS), 2 * kS);
  auto const hung = round(book, loop_stall(Level::hung, 10 * kS), 12 * kS);
  auto const dead = round(book, loop_stall(Level::dead, 30 * kS), 32 * kS);

  EXPECT_EQ(stalled.effects,
            Effect::count | Effect::log | Effect::dump | Effect::remember | Effect::blame);
  EXPECT_EQ(hung.effects, Effect::count | Effect::log | Effect::dump | Effect::remember);
  EXPECT_EQ(dead.effects,
            Effect::count | Effect::log | Effect::dump | Effect::remember | Effect::die);
  EXPECT_EQ(stalled.episode.id, dead.episode.id);
}

TEST(Book, ReportsEveryLevelThatWasSkipped) {
  Book book;

  auto const step = round(book, loop_stall(Level::hung, 10 * kS), kS);

  EXPECT_EQ(step.from, Level::fine);
  EXPECT_EQ(step.to, Level::hung);
}

TEST(Book, IsSilentWhileNothingChanges) {
  Book book;
  round(book, loop_stall(Level::stalled, kS), 1 * kS);

  EXPECT_EQ(round(book, loop_stall(Level::stalled, kS + kS / 10), 2 * kS).effects, 0u);
}

TEST(Book, DumpsAgainAtTwiceTheAge) {
  Book book;
  round(book, loop_stall(Level::stalled, kS), 1 * kS);

  EXPECT_EQ(round(book, loop_stall(Level::stalled, 2 * kS), 2 * kS).effects, 0u) << "too soon";
  EXPECT_EQ(round(book, loop_stall(Level::stalled, 6 * kS), 6 * kS).effects,
            static_cast<std::uint32_t>(Effect::dump));
}

TEST(Book, CancelsAStalledRunAndMarksOneThatDoesNotUnwind) {
  Book book;

  auto const stalled = round(book, run_stall(Level::stalled), kS);
  auto const hung = round(book, run_stall(Level::hung), 6 * kS);

  EXPECT_EQ(stalled.effects,
            Effect::count | Effect::log | Effect::dump | Effect::cancel_run | Effect::remember);
  EXPECT_EQ(hung.effects,
            Effect::count | Effect::log | Effect::dump | Effect::mark_stalled | Effect::remember);
}

TEST(Book, TellsWhenAStallIsOver) {
  Book book;
  round(book, loop_stall(Level::stalled, kS), 1 * kS);

  auto const ended = calm(book, 2 * kS);

  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].effects, static_cast<std::uint32_t>(Effect::over));
  EXPECT_EQ(ended[0].from, Level::stalled);
  EXPECT_EQ(book.open(), 0u);
}

TEST(Book, FoldsTheSameStallButLosesNone) {
  Book book;
  int dumps = 0, counted = 0;
  std::uint64_t suppressed = 0;
  for (int i = 0; i < 8; ++i) {
    std::int64_t const now = (1 + i * 70) * kS;
    auto const step = round(book, loop_stall(Level::stalled, kS), now);
    dumps += (step.effects & Effect::dump) != 0 ? 1 : 0;
    counted += (step.effects & Effect::count) != 0 ? 1 : 0;
    suppressed = step.suppressed;
    calm(book, now + kS);
  }

  EXPECT_EQ(counted, 8);
  EXPECT_EQ(dumps, 4) << "the 1st, 2nd, 4th and 8th";
  EXPECT_EQ(suppressed, 4u);
}

TEST(Book, DoesNotFoldAnotherPlace) {
  Book book;
  round(book, loop_stall(Level::stalled, kS, 7), 1 * kS);
  calm(book, 2 * kS);
  round(book, loop_stall(Level::stalled, kS, 7), 3 * kS);
  calm(book, 4 * kS);

  auto const other = round(book, loop_stall(Level::stalled, kS, 8), 5 * kS);

  EXPECT_NE(other.effects & Effect::dump, 0u);
  EXPECT_EQ(other.suppressed, 0u);
}

TEST(Book, DumpsAtMostSomeAMinuteButAlwaysTheLastWords) {
  Book book;
  int dumps = 0;
  for (std::uint16_t i = 0; i < 20; ++i) {
    book.begin(false);
    dumps +=
        (book.report(run_stall(Level::stalled, i), kS + i).effects & Effect::dump) != 0 ? 1 : 0;
  }
  auto const dead = round(book, loop_stall(Level::dead, 30 * kS), 3 * kS);

  EXPECT_EQ(dumps, static_cast<int>(Book::kDumpsAMinute));
  EXPECT_NE(dead.effects & Effect::dump, 0u);
}

TEST(Book, NobodysFaultRaisesNothingAndEndsNothing) {
  Book book;
  Episode starved = loop_stall(Level::dead, 40 * kS);
  starved.verdict = Verdict::starved;

  EXPECT_EQ(round(book, starved, kS).effects, 0u);
  EXPECT_EQ(book.open(), 0u);

  round(book, loop_stall(Level::stalled, kS), 2 * kS);
  round(book, starved, 3 * kS);
  EXPECT_EQ(book.open(), 1u) << "the stall goes on";
}

TEST(Book, AnExcuseThatIsOverdrawnCounts) {
  Book book;
  Episode starved = loop_stall(Level::hung, 61 * kS);
  starved.verdict = Verdict::starved;
  starved.overdrawn = true;

  EXPECT_TRUE(round(book, starved, kS).effects & Effect::dump);
  EXPECT_EQ(book.open(), 1u);
}

TEST(Book, AGraceRaisesNothingAndEndsNothing) {
  Book book;
  EXPECT_EQ(round(book, loop_stall(Level::dead, 40 * kS), kS, true).effects, 0u);

  round(book, loop_stall(Level::stalled, kS), 2 * kS);
  book.begin(true);
  Step over;
  EXPECT_FALSE(book.end(3 * kS, over));
  EXPECT_EQ(book.open(), 1u);
}

TEST(Book, ARoundOfTheLoopAloneLeavesOthersOpen) {
  Book book;
  round(book, run_stall(Level::stalled), kS);

  book.begin(false, true);
  Step over;

  EXPECT_FALSE(book.end(2 * kS, over));
  EXPECT_EQ(book.open(), 1u);
}

TEST(Book, AnotherGenerationOfARunIsAnotherEpisode) {
  Book book;
  auto const first = round(book, run_stall(Level::stalled, 4, 1), kS);
  auto const second = round(book, run_stall(Level::stalled, 4, 2), 2 * kS);

  EXPECT_NE(first.episode.id, second.episode.id);
  EXPECT_NE(second.effects & Effect::cancel_run, 0u);
}

TEST(Book, TellsThreadsOfOnePartApart) {
  auto const stall_of = [](std::int32_t thread) {
    Episode episode;
    episode.subject = Subject::main;
    episode.level = Level::stalled;
    episode.verdict = Verdict::lock;
    episode.thread = thread;
    return episode;
  };
  Book book;
  book.begin(false);
  auto const main = book.report(stall_of(7), kS);
  auto const control = book.report(stall_of(8), kS);

  EXPECT_EQ(control.effects & Effect::log, Effect::log);
  EXPECT_NE(main.episode.id, control.episode.id);
}

TEST(Book, CountsWhatItHasNoRoomFor) {
  Book book;
  book.begin(false);
  for (std::uint16_t i = 0; i < kEpisodes + 3; ++i) {
    book.report(run_stall(Level::stalled, i), kS);
  }

  EXPECT_EQ(book.open(), kEpisodes);
  EXPECT_EQ(book.lost(), 3u);
}

TEST(Book, IdsGoOnFromTheLastStart) {
  Book book{41};

  EXPECT_EQ(round(book, loop_stall(Level::suspect, kS / 4), kS).episode.id, 42u);
}

}  // namespace
}  // namespace canary::watchdog

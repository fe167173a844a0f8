// SPDX-License-Identifier: Apache-2.0
// What a judgement leads to: levels, dumps, folding.
#include "daemon/watchdog/judge/incidents.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/text/fixed_text.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kS = 1'000'000'000;

Incident loop_stall(Level level, std::int64_t age, std::uint32_t line = 7) {
  Incident incident;
  incident.subject = Subject::loop;
  incident.level = level;
  incident.verdict = Verdict::cpu_loop;
  incident.run = 3;
  incident.age_ns = age;
  incident.line = line;
  copy_text(incident.name, "example");
  return incident;
}

Incident run_stall(Level level, std::uint16_t run = 4, std::uint32_t generation = 1) {
  Incident incident;
  incident.subject = Subject::run;
  incident.level = level;
  incident.verdict = Verdict::stalled_run;
  incident.run = run;
  incident.generation = generation;
  incident.age_ns = 60 * kS;
  return incident;
}

// A round with one judgement.
Step round(Incidents& incidents, Incident const& judged, std::int64_t now, bool pause = false) {
  incidents.begin(pause);
  Step const step = incidents.report(judged, now);
  Step over;
  while (incidents.end(now, over)) {
  }
  return step;
}

// A round in which all is well; gives what ended.
std::vector<Step> calm(Incidents& incidents, std::int64_t now) {
  incidents.begin(false);
  std::vector<Step> ended;
  Step over;
  while (incidents.end(now, over)) ended.push_back(over);
  return ended;
}

TEST(Incidents, CountsAndTellsOfASuspicionWithoutADump) {
  Incidents incidents;

  auto const step = round(incidents, loop_stall(Level::suspect, kS / 4), kS);

  EXPECT_EQ(step.effects, Effect::count | Effect::log);
}

TEST(Incidents, GoesThroughTheLevelsOfADyingLoop) {
  Incidents incidents;
  round(incidents, loop_stall(Level::suspect, kS / 4), 1 * kS);

  auto const stalled = round(incidents, loop_stall(Level::stalled, kS), 2 * kS);
  auto const hung = round(incidents, loop_stall(Level::hung, 10 * kS), 12 * kS);
  auto const dead = round(incidents, loop_stall(Level::dead, 30 * kS), 32 * kS);

  EXPECT_EQ(stalled.effects,
            Effect::count | Effect::log | Effect::dump | Effect::remember | Effect::culprit);
  EXPECT_EQ(hung.effects, Effect::count | Effect::log | Effect::dump | Effect::remember);
  EXPECT_EQ(dead.effects,
            Effect::count | Effect::log | Effect::dump | Effect::remember | Effect::die);
  EXPECT_EQ(stalled.incident.id, dead.incident.id);
}

TEST(Incidents, ReportsEveryLevelThatWasSkipped) {
  Incidents incidents;

  auto const step = round(incidents, loop_stall(Level::hung, 10 * kS), kS);

  EXPECT_EQ(step.from, Level::fine);
  EXPECT_EQ(step.to, Level::hung);
}

TEST(Incidents, IsSilentWhileNothingChanges) {
  Incidents incidents;
  round(incidents, loop_stall(Level::stalled, kS), 1 * kS);

  EXPECT_EQ(round(incidents, loop_stall(Level::stalled, kS + kS / 10), 2 * kS).effects, 0u);
}

TEST(Incidents, DumpsAgainAtTwiceTheAge) {
  Incidents incidents;
  round(incidents, loop_stall(Level::stalled, kS), 1 * kS);

  EXPECT_EQ(round(incidents, loop_stall(Level::stalled, 2 * kS), 2 * kS).effects, 0u) << "too soon";
  EXPECT_EQ(round(incidents, loop_stall(Level::stalled, 6 * kS), 6 * kS).effects,
            static_cast<std::uint32_t>(Effect::dump));
}

TEST(Incidents, CancelsAStalledRunAndMarksOneThatDoesNotUnwind) {
  Incidents incidents;

  auto const stalled = round(incidents, run_stall(Level::stalled), kS);
  auto const hung = round(incidents, run_stall(Level::hung), 6 * kS);

  EXPECT_EQ(stalled.effects,
            Effect::count | Effect::log | Effect::dump | Effect::cancel_run | Effect::remember);
  EXPECT_EQ(hung.effects,
            Effect::count | Effect::log | Effect::dump | Effect::mark_stalled | Effect::remember);
}

TEST(Incidents, TellsWhenAStallIsOver) {
  Incidents incidents;
  round(incidents, loop_stall(Level::stalled, kS), 1 * kS);

  auto const ended = calm(incidents, 2 * kS);

  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].effects, static_cast<std::uint32_t>(Effect::over));
  EXPECT_EQ(ended[0].from, Level::stalled);
  EXPECT_EQ(incidents.open(), 0u);
}

TEST(Incidents, FoldsTheSameStallButLosesNone) {
  Incidents incidents;
  int dumps = 0, counted = 0;
  std::uint64_t suppressed = 0;
  for (int i = 0; i < 8; ++i) {
    std::int64_t const now = (1 + i * 70) * kS;
    auto const step = round(incidents, loop_stall(Level::stalled, kS), now);
    dumps += (step.effects & Effect::dump) != 0 ? 1 : 0;
    counted += (step.effects & Effect::count) != 0 ? 1 : 0;
    suppressed = step.suppressed;
    calm(incidents, now + kS);
  }

  EXPECT_EQ(counted, 8);
  EXPECT_EQ(dumps, 4) << "the 1st, 2nd, 4th and 8th";
  EXPECT_EQ(suppressed, 4u);
}

TEST(Incidents, DoesNotFoldAnotherPlace) {
  Incidents incidents;
  round(incidents, loop_stall(Level::stalled, kS, 7), 1 * kS);
  calm(incidents, 2 * kS);
  round(incidents, loop_stall(Level::stalled, kS, 7), 3 * kS);
  calm(incidents, 4 * kS);

  auto const other = round(incidents, loop_stall(Level::stalled, kS, 8), 5 * kS);

  EXPECT_NE(other.effects & Effect::dump, 0u);
  EXPECT_EQ(other.suppressed, 0u);
}

TEST(Incidents, DumpsAtMostSomeAMinuteButAlwaysTheLastOne) {
  Incidents incidents;
  int dumps = 0;
  for (std::uint16_t i = 0; i < 20; ++i) {
    incidents.begin(false);
    dumps += (incidents.report(run_stall(Level::stalled, i), kS + i).effects & Effect::dump) != 0
                 ? 1
                 : 0;
  }
  auto const dead = round(incidents, loop_stall(Level::dead, 30 * kS), 3 * kS);

  EXPECT_EQ(dumps, static_cast<int>(Incidents::kDumpsAMinute));
  EXPECT_NE(dead.effects & Effect::dump, 0u);
}

TEST(Incidents, NobodysFaultRaisesNothingAndEndsNothing) {
  Incidents incidents;
  Incident starved = loop_stall(Level::dead, 40 * kS);
  starved.verdict = Verdict::starved;

  EXPECT_EQ(round(incidents, starved, kS).effects, 0u);
  EXPECT_EQ(incidents.open(), 0u);

  round(incidents, loop_stall(Level::stalled, kS), 2 * kS);
  round(incidents, starved, 3 * kS);
  EXPECT_EQ(incidents.open(), 1u) << "the stall goes on";
}

TEST(Incidents, AGraceThatIsOverdrawnCounts) {
  Incidents incidents;
  Incident starved = loop_stall(Level::hung, 61 * kS);
  starved.verdict = Verdict::starved;
  starved.overdrawn = true;

  EXPECT_TRUE(round(incidents, starved, kS).effects & Effect::dump);
  EXPECT_EQ(incidents.open(), 1u);
}

TEST(Incidents, APauseRaisesNothingAndEndsNothing) {
  Incidents incidents;
  EXPECT_EQ(round(incidents, loop_stall(Level::dead, 40 * kS), kS, true).effects, 0u);

  round(incidents, loop_stall(Level::stalled, kS), 2 * kS);
  incidents.begin(true);
  Step over;
  EXPECT_FALSE(incidents.end(3 * kS, over));
  EXPECT_EQ(incidents.open(), 1u);
}

TEST(Incidents, ARoundOfTheLoopAloneLeavesOthersOpen) {
  Incidents incidents;
  round(incidents, run_stall(Level::stalled), kS);

  incidents.begin(false, true);
  Step over;

  EXPECT_FALSE(incidents.end(2 * kS, over));
  EXPECT_EQ(incidents.open(), 1u);
}

TEST(Incidents, AnotherGenerationOfARunIsAnotherIncident) {
  Incidents incidents;
  auto const first = round(incidents, run_stall(Level::stalled, 4, 1), kS);
  auto const second = round(incidents, run_stall(Level::stalled, 4, 2), 2 * kS);

  EXPECT_NE(first.incident.id, second.incident.id);
  EXPECT_NE(second.effects & Effect::cancel_run, 0u);
}

TEST(Incidents, TellsThreadsOfOnePartApart) {
  auto const stall_of = [](std::int32_t thread) {
    Incident incident;
    incident.subject = Subject::main;
    incident.level = Level::stalled;
    incident.verdict = Verdict::lock;
    incident.thread = thread;
    return incident;
  };
  Incidents incidents;
  incidents.begin(false);
  auto const main = incidents.report(stall_of(7), kS);
  auto const control = incidents.report(stall_of(8), kS);

  EXPECT_EQ(control.effects & Effect::log, Effect::log);
  EXPECT_NE(main.incident.id, control.incident.id);
}

TEST(Incidents, CountsWhatItHasNoRoomFor) {
  Incidents incidents;
  incidents.begin(false);
  for (std::uint16_t i = 0; i < kIncidents + 3; ++i) {
    incidents.report(run_stall(Level::stalled, i), kS);
  }

  EXPECT_EQ(incidents.open(), kIncidents);
  EXPECT_EQ(incidents.lost(), 3u);
}

TEST(Incidents, IdsGoOnFromTheLastStart) {
  Incidents incidents{41};

  EXPECT_EQ(round(incidents, loop_stall(Level::suspect, kS / 4), kS).incident.id, 42u);
}

}  // namespace
}  // namespace canary::watchdog

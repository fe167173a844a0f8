// SPDX-License-Identifier: Apache-2.0
// What metrics, API and log hear of the watchdog.
#include "daemon/watchdog/tell/record_writer.h"

#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/text/fixed_text.h"

namespace canary::watchdog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kS = 1'000'000'000;

Incident stall(Subject subject, Level level) {
  Incident incident;
  incident.subject = subject;
  incident.level = level;
  incident.verdict = Verdict::lock;
  return incident;
}

class Telling : public testing::Test {
 protected:
  std::vector<Line::Kind> said() {
    std::vector<Line::Kind> kinds;
    for (Line line; queue->pop(line);) kinds.push_back(line.kind);
    return kinds;
  }
  std::uint64_t stalls(Subject subject, Level level) {
    return record->stalls[static_cast<std::size_t>(subject)][static_cast<std::size_t>(level)];
  }

  std::unique_ptr<Record> record = std::make_unique<Record>();
  std::unique_ptr<WatchdogLines> queue = std::make_unique<WatchdogLines>();
  LineWriter lines{*queue, *record};
  RecordWriter writer{*record, lines};
};

TEST_F(Telling, LinesThatNobodyTakesOutAreCounted) {
  for (std::size_t i = 0; i < WatchdogLines::kLines + 3; ++i) lines.say(Line::Kind::stall, {});

  EXPECT_EQ(record->lines_dropped, 3u);
}

TEST_F(Telling, ALineHasTheTimeOfTheLook) {
  lines.set_time(7 * kS);
  lines.say(Line::Kind::cancelled, {}, 5, 6);

  Line line;
  ASSERT_TRUE(queue->pop(line));
  EXPECT_EQ(line.wall_ns, 7 * kS);
  EXPECT_EQ(line.nanoseconds, 5);
  EXPECT_EQ(line.count, 6u);
}

TEST_F(Telling, EachLevelThatAnIncidentPassedIsCounted) {
  Step step{.from = Level::fine, .to = Level::hung};
  step.incident = stall(Subject::loop, Level::hung);
  writer.raised(step);

  EXPECT_EQ(stalls(Subject::loop, Level::suspect), 1u);
  EXPECT_EQ(stalls(Subject::loop, Level::stalled), 1u);
  EXPECT_EQ(stalls(Subject::loop, Level::hung), 1u);
  EXPECT_EQ(stalls(Subject::loop, Level::dead), 0u);
  EXPECT_EQ(record->verdicts[static_cast<std::size_t>(Verdict::lock)], 1u);

  // What was counted is not counted again when it gets worse.
  step.from = Level::hung;
  step.to = Level::dead;
  writer.raised(step);
  EXPECT_EQ(stalls(Subject::loop, Level::hung), 1u);
  EXPECT_EQ(stalls(Subject::loop, Level::dead), 1u);
  EXPECT_EQ(record->verdicts[static_cast<std::size_t>(Verdict::lock)], 1u);
}

TEST_F(Telling, OpenIncidentsAreShownUntilTheyEnd) {
  Incidents incidents;
  incidents.begin(false);
  incidents.report(stall(Subject::loop, Level::hung), kS);
  writer.incidents(incidents);

  EXPECT_EQ(record->current_incidents, 1u);
  EXPECT_TRUE(record->executor_stalled());
  EXPECT_TRUE(writer.vital_hung());

  incidents.begin(false);
  Step over;
  while (incidents.end(2 * kS, over)) {
  }
  writer.incidents(incidents);

  EXPECT_EQ(record->current_incidents, 0u);
  EXPECT_FALSE(record->executor_stalled());
  EXPECT_FALSE(writer.vital_hung());
  Incident shown;
  ASSERT_TRUE(record->incidents[0].load(shown));
  EXPECT_EQ(shown.level, Level::fine);
}

TEST_F(Telling, DisturbancesAreCountedAndSaidOnceInTenSeconds) {
  writer.disturbed(Disturbance::stopped, 3 * kS, 100 * kS);
  writer.disturbed(Disturbance::stopped, 3 * kS, 105 * kS);
  writer.disturbed(Disturbance::stopped, kS / 2, 120 * kS);
  writer.disturbed(Disturbance::stopped, 3 * kS, 121 * kS);

  EXPECT_EQ(record->disturbances[static_cast<std::size_t>(Disturbance::stopped)], 4u);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::disturbed, Line::Kind::disturbed));
  EXPECT_EQ(stalls(Subject::watchdog, Level::suspect), 3u) << "it was late itself";
}

TEST_F(Telling, TheLoopStandsAndTurnsAgainIsSaidOnceEach) {
  LoopStanding const stands{.since_ns = 90 * kS, .verdict = Verdict::starved};
  writer.loop_stands(stands, {}, 100 * kS);
  writer.loop_stands(stands, {}, 101 * kS);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::stands));
  EXPECT_TRUE(record->executor_stands());

  writer.loop_stands({}, {}, 102 * kS);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::turns));
  EXPECT_FALSE(record->executor_stands());
}

TEST_F(Telling, OfALoopThatIsAccusedItIsNotSaidBesides) {
  record->executor_level.store(static_cast<std::uint8_t>(Level::stalled));
  writer.loop_stands({.since_ns = 90 * kS, .verdict = Verdict::lock}, {}, 100 * kS);

  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(Telling, APartThatStandsIsSaidOnceAndThatItTurnsAgain) {
  PartsStanding standing;
  standing.stands(Subject::log, Verdict::lock);
  writer.parts_stand(standing);
  writer.parts_stand(standing);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::stands));

  standing.begin_round();
  writer.parts_stand(standing);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::turns));
}

}  // namespace
}  // namespace canary::watchdog

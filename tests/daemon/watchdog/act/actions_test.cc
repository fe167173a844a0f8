// SPDX-License-Identifier: Apache-2.0
// What follows from a step of an incident: to the run, the probe, the next start and the process.
#include "daemon/watchdog/act/actions.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr std::int64_t kS = 1'000'000'000;
constexpr Moment kAt{.now_ns = 1'000 * kS, .previous_ns = 999 * kS, .wall_ns = 2'000 * kS};

class Acting : public testing::Test {
 protected:
  void SetUp() override {
    auto& run = tables.runs()[2];
    run.generation.store(5);
    run.state.store(runtime::RunRecord::running);
    run.kind.store(runtime::RunRecord::probe);
    run.ask_cancel.store(0);
    run.stalled.store(0);
  }
  ~Acting() override { ::close(cancel); }

  static Step step(std::uint32_t effects, Level to = Level::stalled,
                   Subject subject = Subject::loop) {
    Step step{.effects = effects, .from = Level::fine, .to = to};
    step.incident.subject = subject;
    step.incident.level = to;
    step.incident.verdict = Verdict::lock;
    step.incident.run = 2;
    step.incident.generation = 5;
    copy_text(step.incident.name, "bad");
    return step;
  }
  void act(Step const& step) { actions.act(step, incidents, kAt); }
  std::vector<Line::Kind> said() {
    std::vector<Line::Kind> kinds;
    for (Line line; queue->pop(line);) kinds.push_back(line.kind);
    return kinds;
  }
  Memory kept() const {
    Memory memory;
    block->memory.load(memory);
    return memory;
  }

  runtime::Tables& tables = runtime::make_tables({.runs = 8, .operations = 64});
  int cancel = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::unique_ptr<Record> record = std::make_unique<Record>();
  std::unique_ptr<WatchdogLines> queue = std::make_unique<WatchdogLines>();
  std::unique_ptr<MemoryBlock> block = std::make_unique<MemoryBlock>();
  Listeners listeners;
  Incidents incidents;
  LineWriter lines{*queue, *record};
  RecordWriter writer{*record, lines};
  Dumps dumps{{}, *record, lines};
  KeptMemory memory{*block, -1, *record};
  RunActions runs{cancel, *record, lines};
  HandedOn handed_on;
  ProcessEnd end{{.listeners = listeners, .handed_on = handed_on, .process = ::getpid()}};
  Actions actions{{.dumps = dumps,
                   .memory = memory,
                   .runs = runs,
                   .end = end,
                   .record = *record,
                   .writer = writer,
                   .lines = lines}};
};

TEST_F(Acting, ARunIsAskedToEndAndTheLoopIsWoken) {
  act(step(Effect::cancel_run, Level::stalled, Subject::run));

  EXPECT_EQ(tables.runs()[2].ask_cancel, 5u);
  EXPECT_EQ(record->runs_cancelled, 1u);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::cancelled));
  std::uint64_t count = 0;
  EXPECT_EQ(::read(cancel, &count, sizeof count), static_cast<ssize_t>(sizeof count));
}

TEST_F(Acting, ARunThatHasEndedMeanwhileIsLeftAlone) {
  tables.runs()[2].generation.store(6);
  act(step(Effect::cancel_run | Effect::mark_stalled, Level::hung, Subject::run));

  EXPECT_EQ(tables.runs()[2].ask_cancel, 0u);
  EXPECT_EQ(tables.runs()[2].stalled, 0u);
  EXPECT_EQ(record->runs_cancelled, 0u);
}

TEST_F(Acting, ARunThatDoesNotUnwindIsMarked) {
  act(step(Effect::mark_stalled, Level::hung, Subject::run));

  EXPECT_EQ(tables.runs()[2].stalled, 5u);
}

TEST_F(Acting, AProbeThatStallsTheLoopAgainAndAgainIsQuarantined) {
  actions.set_policy({.quarantine_after = 2});
  act(step(Effect::culprit));
  EXPECT_EQ(record->quarantined_count, 0u);

  act(step(Effect::culprit));
  EXPECT_EQ(record->quarantined_count, 1u);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::quarantined));

  memory.lift_quarantine();
  EXPECT_EQ(record->quarantined_count, 0u);
}

TEST_F(Acting, AServiceIsNotQuarantined) {
  tables.runs()[2].kind.store(runtime::RunRecord::service);
  actions.set_policy({.quarantine_after = 1});
  act(step(Effect::culprit));

  EXPECT_EQ(record->quarantined_count, 0u);
}

TEST_F(Acting, TheNextStartFindsTheLastStall) {
  act(step(Effect::remember));

  EXPECT_EQ(kept().has_stall, 1u);
  EXPECT_STREQ(kept().stall.incident.name.data(), "bad");
  EXPECT_EQ(kept().stall.wall_ns, kAt.wall_ns);
}

TEST_F(Acting, ALoopThatHangsIsNotedUntilItTurns) {
  act(step(Effect::count, Level::hung));
  EXPECT_EQ(kept().hung, 1u);

  Step over = step(Effect::over);
  over.from = Level::hung;
  act(over);
  EXPECT_EQ(kept().hung, 0u);
}

TEST_F(Acting, WhatIsDeadEndsTheProcessOnlyAfterAWhile) {
  actions.set_policy({.on_dead = OnDead::abort});
  act(step(Effect::die, Level::dead));
  EXPECT_TRUE(actions.dying());
  ThreadGrace const grace;
  actions.end_if_due(0, incidents, grace, {.now_ns = kAt.now_ns + kS, .wall_ns = kAt.wall_ns});
  EXPECT_FALSE(end.begun());

  Step over = step(Effect::over);
  over.from = Level::dead;
  act(over);
  actions.end_if_due(0, incidents, grace, {.now_ns = kAt.now_ns + 9 * kS});
  EXPECT_FALSE(end.begun()) << "it recovered";
}

TEST_F(Acting, WhereItOnlyReportsNothingIsEnded) {
  actions.set_policy({.on_dead = OnDead::report});
  act(step(Effect::die, Level::dead));
  actions.end_if_due(0, incidents, ThreadGrace{}, {.now_ns = kAt.now_ns + 60 * kS});

  EXPECT_FALSE(end.begun());
  EXPECT_THAT(said(), Contains(Line::Kind::dying));
}

TEST_F(Acting, AStopInTimeIsNoIncident) {
  actions.end_if_due(kAt.now_ns + kS, incidents, ThreadGrace{}, kAt);

  EXPECT_THAT(said(), Not(Contains(Line::Kind::dying)));
  EXPECT_EQ(kept().hung, 0u);
}

TEST_F(Acting, AStopThatIsLateIsNotedAndSaid) {
  actions.end_if_due(kAt.now_ns - 1, incidents, ThreadGrace{}, kAt);

  EXPECT_THAT(said(), ElementsAre(Line::Kind::dying));
  EXPECT_EQ(kept().hung, 1u);
}

using ActingDeathTest = Acting;
TEST_F(ActingDeathTest, AStopThatIsASecondLateEndsTheProcess) {
  auto const late = [this] {
    actions.end_if_due(kAt.now_ns - 1, incidents, ThreadGrace{}, kAt);
    actions.end_if_due(kAt.now_ns - 1, incidents, ThreadGrace{}, {.now_ns = kAt.now_ns + 2 * kS});
  };
  EXPECT_EXIT(late(), testing::ExitedWithCode(1), "");
}

TEST_F(ActingDeathTest, WhatIsDeadForTwoSecondsIsEndedByASignal) {
  auto const dead = [this] {
    // A death test's child is another process than the one that `end` was made in.
    ProcessEnd own{{.listeners = listeners, .handed_on = handed_on, .process = ::getpid()}};
    Actions ending{{.dumps = dumps,
                    .memory = memory,
                    .runs = runs,
                    .end = own,
                    .record = *record,
                    .writer = writer,
                    .lines = lines}};
    ending.act(step(Effect::die, Level::dead), incidents, kAt);
    ending.end_if_due(0, incidents, ThreadGrace{}, {.now_ns = kAt.now_ns + 3 * kS});
    ::pause();
  };
  EXPECT_EXIT(dead(), testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace canary::watchdog

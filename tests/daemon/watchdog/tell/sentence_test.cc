// SPDX-License-Identifier: Apache-2.0
// What `systemctl status` says.
#include "daemon/watchdog/tell/sentence.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace canary::watchdog {
namespace {

using Phase = PhaseView::Phase;
constexpr std::int64_t kS = 1'000'000'000;

class StatusSentence : public testing::Test {
 protected:
  std::string sentence(PhaseView const& phase) {
    Sentence text;
    write_sentence(text, incidents, *record, phase, 1'000 * kS);
    return std::string{text.view()};
  }
  void stall(Subject subject, Level level, std::string_view name, std::int32_t thread = 0) {
    Incident incident;
    incident.subject = subject;
    incident.level = level;
    incident.verdict = Verdict::lock;
    incident.age_ns = 12 * kS + kS / 2;
    incident.thread = thread;
    copy_text(incident.name, name);
    incidents.report(incident, kS);
  }

  Incidents incidents;
  std::unique_ptr<Record> record = std::make_unique<Record>();
};

TEST_F(StatusSentence, WhileAllIsWellItIsThatOfTheLoop) {
  EXPECT_EQ(sentence({.phase = Phase::running, .words = "12 probes"}), "12 probes");
  EXPECT_EQ(sentence({.phase = Phase::running}), "monitoring");
}

TEST_F(StatusSentence, ProbesInQuarantineAreCounted) {
  record->quarantined_count.store(2);
  EXPECT_EQ(sentence({.phase = Phase::running}), "monitoring; probes in quarantine: 2");
}

TEST_F(StatusSentence, AStartAndAReloadSayTheirStep) {
  EXPECT_EQ(sentence({.phase = Phase::starting, .step = "opening"}), "starting: opening");
  EXPECT_EQ(sentence({.phase = Phase::reloading}), "reloading");
}

TEST_F(StatusSentence, AStopSaysHowManyRunsUnwind) {
  EXPECT_EQ(sentence({.phase = Phase::stopping, .step = "runs", .runs = 3}),
            "stopping: runs; runs that unwind: 3");
}

TEST_F(StatusSentence, TheWorstIncidentComesFirst) {
  incidents.begin(false);
  stall(Subject::disk, Level::hung, "disk", 7);
  stall(Subject::cpu, Level::dead, "cpu", 8);

  EXPECT_EQ(sentence({.phase = Phase::running}), "cpu dead: lock for 12 s, cpu; 1 more");
}

TEST_F(StatusSentence, TheLoopsIncidentStaysFirst) {
  incidents.begin(false);
  stall(Subject::loop, Level::stalled, "victim");
  stall(Subject::cpu, Level::dead, "cpu", 8);

  EXPECT_EQ(sentence({.phase = Phase::running}), "loop stalled: lock for 12 s, victim; 1 more");
}

TEST_F(StatusSentence, ASuspicionIsNotToldOf) {
  incidents.begin(false);
  stall(Subject::loop, Level::suspect, "victim");

  EXPECT_EQ(sentence({.phase = Phase::running}), "monitoring");
}

}  // namespace
}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// When dumps are begun, how many stacks they have, and what is said of them.
#include "daemon/watchdog/act/dumps.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

using testing::ElementsAre;

constexpr std::int64_t kS = 1'000'000'000;

// Writes down what it was asked for.
struct FakeDumper {
  std::vector<std::string> reasons;
  std::vector<std::uint64_t> numbers;
  std::vector<Incident> incidents;
  int samples = 0, finished = 0, error = 0;
  std::uint64_t unreadable = 0;
  bool copied = true;

  Dumper dumper() {
    return {.self = this,
            .start =
                [](void* self, DumpOrder const& order) {
                  auto& fake = *static_cast<FakeDumper*>(self);
                  fake.reasons.emplace_back(order.reason);
                  fake.numbers.push_back(order.number);
                  fake.incidents.assign(order.incidents.begin(), order.incidents.end());
                  return fake.copied;
                },
            .sample = [](void* self, std::int32_t) { ++static_cast<FakeDumper*>(self)->samples; },
            .finish =
                [](void* self, PathText& path) {
                  path = {"/dumps/one.raw"};
                  ++static_cast<FakeDumper*>(self)->finished;
                  return static_cast<FakeDumper*>(self)->error;
                },
            .poll =
                [](void* self) {
                  return std::exchange(static_cast<FakeDumper*>(self)->unreadable,
                                       std::uint64_t{0});
                }};
  }
};

class DumpOrders : public testing::Test {
 protected:
  std::vector<Line::Kind> said() {
    std::vector<Line::Kind> kinds;
    for (Line line; queue->pop(line);) kinds.push_back(line.kind);
    return kinds;
  }
  static Incident stall(Verdict verdict) {
    Incident incident;
    incident.id = 12;
    incident.level = Level::stalled;
    incident.verdict = verdict;
    incident.thread = 77;
    return incident;
  }

  std::unique_ptr<Record> record = std::make_unique<Record>();
  std::unique_ptr<WatchdogLines> queue = std::make_unique<WatchdogLines>();
  LineWriter lines{*queue, *record};
  FakeDumper fake;
  Dumps dumps{fake.dumper(), *record, lines};
  Incidents none;
};

TEST_F(DumpOrders, AThreadThatWaitsIsDumpedAtOnce) {
  dumps.of_incident(stall(Verdict::lock), none);

  EXPECT_FALSE(dumps.open());
  EXPECT_EQ(fake.finished, 1);
  EXPECT_THAT(fake.reasons, ElementsAre("stalled"));
  EXPECT_THAT(fake.numbers, ElementsAre(12u));
  EXPECT_EQ(record->dumps_written, 1u);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::dumped));
}

TEST_F(DumpOrders, OfAThreadThatComputesMoreStacksAreTaken) {
  dumps.of_incident(stall(Verdict::cpu_loop), none);
  EXPECT_TRUE(dumps.open());
  std::int64_t const soon = dumps.next_ns();
  dumps.go_on(soon - 1);
  EXPECT_EQ(fake.samples, 0) << "not before its time";
  for (int i = 0; i < 10; ++i) dumps.go_on(soon + i * kS);

  EXPECT_EQ(fake.samples, 4);
  EXPECT_EQ(fake.finished, 1);
  EXPECT_FALSE(dumps.open());
}

TEST_F(DumpOrders, AStackThatCannotBeCopiedIsNotTriedAgain) {
  fake.copied = false;
  dumps.of_incident(stall(Verdict::cpu_loop), none);

  EXPECT_EQ(fake.finished, 1) << "the helper is to look at once";
}

TEST_F(DumpOrders, WhatItIsAboutComesFirstThenTheOthersThatAreOpen) {
  Incidents open;
  open.begin(false);
  Incident disk = stall(Verdict::disk);
  disk.subject = Subject::disk;
  open.report(disk, kS);
  dumps.of_incident(stall(Verdict::lock), open);

  ASSERT_EQ(fake.incidents.size(), 2u);
  EXPECT_EQ(fake.incidents[0].id, 12u);
  EXPECT_EQ(fake.incidents[1].subject, Subject::disk);
}

TEST_F(DumpOrders, WhoAsksGetsOneASecond) {
  record->dumps_asked.store(1);
  dumps.on_request(none, 100 * kS);
  record->dumps_asked.store(3);
  dumps.on_request(none, 100 * kS + kS / 2);
  EXPECT_THAT(fake.numbers, ElementsAre(1u));

  dumps.on_request(none, 101 * kS);
  dumps.on_request(none, 103 * kS);
  EXPECT_THAT(fake.numbers, ElementsAre(1u, 3u)) << "one for all who asked meanwhile";
  DumpOutcome outcome;
  ASSERT_TRUE(record->last_asked_dump.load(outcome));
  EXPECT_EQ(outcome.request, 3u);
  EXPECT_EQ(outcome.fate, DumpFate::written);
}

TEST_F(DumpOrders, WithoutADumperWhoAsksHearsThatItFailed) {
  dumps.set_dumper({});
  record->dumps_asked.store(1);
  dumps.on_request(none, 100 * kS);
  dumps.of_process("stop", none);

  DumpOutcome outcome;
  ASSERT_TRUE(record->last_asked_dump.load(outcome));
  EXPECT_EQ(outcome.fate, DumpFate::failed);
  EXPECT_EQ(record->dumps_failed, 1u);
}

TEST_F(DumpOrders, ADumpThatFailedIsSaidWithItsError) {
  fake.error = 28;
  dumps.of_process("stop", none);

  Line line;
  ASSERT_TRUE(queue->pop(line));
  EXPECT_EQ(line.kind, Line::Kind::dump_failed);
  EXPECT_EQ(line.count, 28u);
  EXPECT_EQ(record->dumps_failed, 1u);
}

TEST_F(DumpOrders, WhatTheHelperCouldNotReadIsToldOnceASecond) {
  fake.unreadable = 2;
  dumps.poll(100 * kS);
  fake.unreadable = 1;
  dumps.poll(100 * kS + kS / 2);
  EXPECT_EQ(record->dumps_failed, 2u);

  dumps.poll(101 * kS);
  EXPECT_EQ(record->dumps_failed, 3u);
  EXPECT_THAT(said(), ElementsAre(Line::Kind::dump_unreadable, Line::Kind::dump_unreadable));
}

}  // namespace
}  // namespace canary::watchdog

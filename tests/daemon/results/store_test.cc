// SPDX-License-Identifier: Apache-2.0
// The store and its readers on other threads.
#include "daemon/results/store.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/tuf/declaration.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Report;
using probes::Severity;
using ::testing::ElementsAre;

SysTime at(std::chrono::seconds since_start) { return SysTime{1'790'000'000s + since_start}; }

ProbeFacts probe(std::string name, std::chrono::seconds interval = 60s) {
  return {.name = std::move(name),
          .repository = "repo",
          .kind = &tuf::kDeclaration,
          .enabled = true,
          .interval = interval,
          .timeout = 30s};
}

DaemonFacts daemon_facts() {
  DaemonFacts facts;
  facts.version = "1.2.3";
  return facts;
}

// A report that says the same number in three places, so that a torn row would show.
Report numbered(std::uint64_t number) {
  Report report;
  report.measurements.bytes_received = 1;
  report.measurements.requests = number;
  report.findings.push_back({.check = "reachable",
                             .subject = std::to_string(number),
                             .severity = Severity::ok,
                             .reason = Reason::none,
                             .message = std::string(100, 'x'),
                             .evidence = ""});
  return report;
}

std::vector<std::string> names(ResultStore const& store) {
  auto const reading = store.read();
  std::vector<std::string> result;
  for (auto const* row : reading->probes) result.push_back(row->facts.name);
  return result;
}

TEST(ResultStore, ShowsProbesInTheOrderOfTheConfiguration) {
  ResultStore store{daemon_facts()};
  store.configure({probe("b"), probe("a"), probe("c")});
  EXPECT_THAT(names(store), ElementsAre("b", "a", "c"));
  EXPECT_EQ(store.read()->daemon->version, "1.2.3");
}

TEST(ResultStore, KeepsHistoryOfKnownProbesOverAReloadAndForgetsTheRest) {
  ResultStore store{daemon_facts()};
  store.configure({probe("stays"), probe("goes")});
  store.finished("stays", at(1s), 1ms, numbered(7));
  store.finished("goes", at(1s), 1ms, numbered(8));

  store.configure({probe("comes"), probe("stays", 600s)});

  EXPECT_THAT(names(store), ElementsAre("comes", "stays"));
  auto const reading = store.read();
  EXPECT_EQ(reading->find("stays")->runs, 1u);
  EXPECT_EQ(reading->find("stays")->facts.interval, 600s);
  EXPECT_EQ(reading->find("comes")->runs, 0u);
  EXPECT_EQ(reading->find("goes"), nullptr);
}

TEST(ResultStore, IgnoresARunOfAProbeThatAReloadTookAway) {
  ResultStore store{daemon_facts()};
  store.configure({probe("goes")});
  store.started("goes", at(0s), 0ns);
  store.configure({});

  EXPECT_EQ(store.finished("goes", at(1s), 1ms, numbered(1)), std::nullopt);
  store.abandoned("goes");
  store.skipped("goes", SkipReason::overlap, 1);
  EXPECT_THAT(names(store), ElementsAre());
}

TEST(ResultStore, RemembersHowLoadingTheConfigurationWent) {
  ResultStore store{daemon_facts()};
  EXPECT_EQ(store.read()->daemon->last_reload_success, std::nullopt);
  store.config_accepted(at(1s), {});
  store.config_refused(at(9s), "line 3: nonsense");

  auto const reading = store.read();
  EXPECT_FALSE(reading->daemon->reload_successful);
  EXPECT_EQ(reading->daemon->reload_error, "line 3: nonsense");
  EXPECT_EQ(reading->daemon->last_reload_success, at(1s));
  EXPECT_EQ(reading->daemon->last_reload_attempt, at(9s));
}

TEST(ResultStore, MeasuresHowLateRunsStart) {
  ResultStore store{daemon_facts()};
  store.configure({probe("a")});
  store.started("a", at(0s), 3s);
  store.started("a", at(60s), -1ms);

  auto const lag = store.read()->schedule_lag;
  EXPECT_EQ(lag.count(), 2u);
  EXPECT_EQ(lag.counts.front(), 1u) << "early counts as on time";
  EXPECT_DOUBLE_EQ(lag.sum_seconds, 3.0);
}

TEST(ResultStore, AReaderKeepsWhatItSeesWhileTheLoopGoesOn) {
  ResultStore store{daemon_facts()};
  store.configure({probe("a")});
  store.finished("a", at(1s), 1ms, numbered(1));
  auto const reading = store.read();
  ProbeRow const* const row = reading->find("a");

  store.finished("a", at(2s), 1ms, numbered(2));
  store.configure({});

  EXPECT_EQ(row->last_report->measurements.requests, 1u);
  EXPECT_EQ(row->facts.name, "a");
  EXPECT_GT(store.retired(), 0u);
}

TEST(ResultStore, TheLoopFreesWhatNoReaderSeesAnyMore) {
  ResultStore store{daemon_facts()};
  store.configure({probe("a")});
  {
    auto const reading = store.read();
    for (int i = 0; i < 100; ++i) store.scheduled("a", at(1s));
    EXPECT_EQ(store.retired(), 1u) << "what it saw, and nothing of what came later";
  }
  store.scheduled("a", at(2s));
  EXPECT_EQ(store.retired(), 0u);
}

TEST(ResultStore, AStuckReaderHoldsBackWhatItSeesHoweverLongItIsStuck) {
  ResultStore store{daemon_facts()};
  std::vector<ProbeFacts> facts;
  for (int i = 0; i < 50; ++i) facts.push_back(probe("probe-" + std::to_string(i)));
  store.configure(facts);
  auto const stuck = store.read();
  for (std::uint64_t round = 1; round <= 100; ++round) {
    for (auto const& each : facts) store.finished(each.name, at(1s), 1ms, numbered(round));
    auto const other = store.read();
    EXPECT_EQ(other->find("probe-7")->last_report->measurements.requests, round);
  }
  EXPECT_EQ(store.retired(), facts.size()) << "a row of each probe";
  EXPECT_EQ(stuck->find("probe-7")->runs, 0u);
}

TEST(ResultStore, BeginsWithWhatIsRememberedOfANewProbeOnly) {
  ResultStore store{daemon_facts()};
  store.configure({probe("known")});
  store.finished("known", at(9s), 1ms, numbered(1));
  SavedState const old{.severity = Severity::critical, .since = at(1s), .consecutive_failures = 4};
  store.configure({probe("known"), probe("new")}, {{"known", old}, {"new", old}});

  auto const reading = store.read();
  EXPECT_EQ(reading->find("known")->severity, Severity::ok);
  EXPECT_EQ(reading->find("new")->severity, Severity::critical);
  EXPECT_EQ(reading->find("new")->since, at(1s));
}

TEST(ResultStore, CountsManyMissedRunsWithOnePublication) {
  ResultStore store{daemon_facts()};
  store.configure({probe("a")});
  auto const before = store.row("a");

  store.skipped("a", SkipReason::offline, 360'000);
  auto const after = store.row("a");
  EXPECT_NE(after, before);
  store.skipped("a", SkipReason::offline, 0);
  EXPECT_EQ(store.row("a"), after) << "nothing was skipped, nothing is published";

  auto const& skipped = store.read()->find("a")->skipped;
  EXPECT_EQ(skipped[static_cast<std::size_t>(SkipReason::offline)], 360'000U);
}

TEST(ResultStore, AMovedReadingReleasesItsPinOnce) {
  ResultStore store{daemon_facts()};
  store.configure({probe("a")});
  {
    auto reading = store.read();
    auto const moved = std::move(reading);
    store.scheduled("a", at(1s));
    EXPECT_GT(store.retired(), 0u);
    EXPECT_EQ(moved->probes.size(), 1u);
  }
  store.scheduled("a", at(2s));
  EXPECT_EQ(store.retired(), 0u);
}

// Run under TSan and ASan as well: a row freed too early or half written shows there.
TEST(ResultStore, ReadersSeeWholeRowsThatOnlyGrowNewerWhileTheLoopPublishes) {
  constexpr int kReaders = 4;
  constexpr std::uint64_t kRounds = 5000;
  ResultStore store{daemon_facts()};
  store.configure({probe("a"), probe("b")});
  std::atomic<bool> done{false};
  std::atomic<int> started{0};
  std::vector<std::string> wrong(kReaders);

  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] {
      std::uint64_t newest = 0;
      started.fetch_add(1);
      while (!done.load()) {
        auto const reading = store.read();
        ProbeRow const* const row = reading->find("a");
        if (row == nullptr) {
          wrong[i] = "probe a is gone";
          return;
        }
        if (!row->last_report) continue;
        auto const number = row->last_report->measurements.requests;
        if (row->runs != number || row->bytes_received != number ||
            row->last_report->findings.front().subject != std::to_string(number)) {
          wrong[i] = "torn row " + std::to_string(number);
        }
        if (number < newest) wrong[i] = "went back to " + std::to_string(number);
        newest = number;
      }
    });
  }
  while (started.load() < kReaders) std::this_thread::yield();
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    store.finished("a", at(1s), 1ms, numbered(round));
    if (round % 50 == 0) store.configure({probe("a"), probe("b" + std::to_string(round))});
  }
  done = true;
  for (auto& reader : readers) reader.join();

  EXPECT_THAT(wrong, ::testing::Each(""));
  store.scheduled("a", at(2s));
  EXPECT_EQ(store.retired(), 0u);
}

TEST(ResultStore, MoreReadersThanPinsWaitForEachOther) {
  ResultStore store{daemon_facts()};
  store.configure({probe("a")});
  std::vector<ResultStore::Reading> held;
  for (std::size_t i = 0; i < ResultStore::kReaders; ++i) held.push_back(store.read());

  std::atomic<bool> got{false};
  std::thread late{[&] {
    auto const reading = store.read();
    got = reading->probes.size() == 1;
  }};
  EXPECT_FALSE(got.load());
  held.pop_back();
  late.join();
  EXPECT_TRUE(got.load());
}

}  // namespace
}  // namespace canary::daemon

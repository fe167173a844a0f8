// SPDX-License-Identifier: Apache-2.0
// The page that the watchdog writes for the night in which the server hangs, held against the
// server's own: alerts must not notice a difference.
#include "daemon/watchdog/tell/emergency_page.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/sample/pending_kinds.h"
#include "daemon/watchdog/tell/page_text.h"
#include "tests/daemon/publish/exposition_parser.h"
#include "tests/daemon/publish/hung_world.h"

namespace canary::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using watchdog::Subject;

class EmergencyPage : public HungWorld {};

TEST_F(EmergencyPage, HasNothingButWhatTheOrdinaryPageHasWithTheSameValues) {
  auto const usual = parsed(ordinary());
  auto const page = parsed(emergency(unchanging_metrics(ordinary())));
  EXPECT_GT(page.samples.size(), 100u);
  for (auto const& [name, family] : page.families) {
    ASSERT_TRUE(usual.families.contains(name)) << name;
    EXPECT_EQ(family.type, usual.families.at(name).type) << name;
    EXPECT_EQ(family.help, usual.families.at(name).help) << name;
  }
  for (auto const& [series, value] : page.samples) {
    ASSERT_TRUE(usual.has(series)) << series;
    if (series == "canaryd_emergency_page") continue;
    // Instants are of the moment in which each page was made.
    bool const moves = series.find("timestamp") != std::string::npos ||
                       series == "canaryd_time_seconds" || series.ends_with("_sum");
    EXPECT_NEAR(value, usual.value(series), moves ? 60 : 0) << series;
  }
}

TEST_F(EmergencyPage, SaysThatItIsTheOne) {
  EXPECT_EQ(parsed(emergency()).value("canaryd_emergency_page"), 1);
  EXPECT_EQ(parsed(ordinary()).value("canaryd_emergency_page"), 0);
}

TEST_F(EmergencyPage, TellsWhatHangsToPeopleAndToAlerts) {
  auto const text = emergency();
  EXPECT_THAT(text, StartsWith("# canaryd's emergency page: its HTTP server has not answered for "
                               "6.0 s."));
  EXPECT_THAT(text, HasSubstr("\n# loop stalled: lock for 12.3 s, victim\n"));
  auto const page = parsed(text);
  EXPECT_EQ(page.value("canaryd_executor_stalled"), 1);
  EXPECT_EQ(page.value(R"(canaryd_executor_stalls_total{verdict="lock"})"), 3);
  EXPECT_EQ(page.value(R"(canaryd_stalls_total{level="stalled",subject="loop"})"), 5);
  EXPECT_EQ(page.value(R"(canaryd_stalls_total{level="dead",subject="server"})"), 0);
  EXPECT_EQ(page.value(R"(canaryd_subject_stalled{subject="server"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_subject_stalled{subject="disk"})"), 0);
  EXPECT_EQ(page.value(R"(canaryd_probe_stalled{probe="slow"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_quarantined{probe="bad"})"), 1);
  EXPECT_EQ(page.value("canaryd_watchdog_dumps_failed_total"), 1);
  EXPECT_EQ(page.value("canaryd_watchdog_ticks_total"), 99);
  EXPECT_EQ(page.value(R"(canaryd_last_stall_timestamp_seconds{subject="loop",verdict="none"})"),
            1'790'000'000.125);
  EXPECT_EQ(page.value(R"(canaryd_executor_pending_operations{kind="async_wait"})"), 2);
  EXPECT_EQ(page.value(R"(canaryd_executor_pending_operations{kind="async_receive"})"), 1);
  EXPECT_EQ(page.value("canaryd_executor_longest_handler_seconds"), 0.0015);
  EXPECT_EQ(page.value("canaryd_executor_heartbeat_lag_seconds_sum"), 1.234567891);
  double const age = page.value("canaryd_time_seconds") -
                     page.value("canaryd_executor_last_heartbeat_timestamp_seconds");
  EXPECT_GE(age, 12.345);
  EXPECT_THAT(std::string{texts_->reason_text()}, StartsWith("the loop has not turned for 12 s"));
  EXPECT_THAT(std::string{texts_->reason_text()},
              HasSubstr(": lock, and the HTTP server has not answered for 6 s"));
}

// What stands still, and is nobody's fault, is told; and restarts nobody.
TEST_F(EmergencyPage, TellsTheWallClocksTruthOfALoopThatIsStarved) {
  record_->executor_level.store(static_cast<std::uint8_t>(watchdog::Level::fine));
  record_->executor_verdict.store(static_cast<std::uint8_t>(watchdog::Verdict::starved));
  record_->executor_standing_ns.store(runtime::now_ns() - 12'000'000'000);
  record_->emergency_since_ns.store(0);
  EXPECT_EQ(parsed(emergency()).value("canaryd_executor_stalled"), 1);
  EXPECT_EQ(parsed(ordinary()).value("canaryd_executor_stalled"), 1);
  auto const health = executor_health(*record_, tables_);
  EXPECT_FALSE(health.ok);
  EXPECT_EQ(health.reason, "the loop has not turned for 12 s: starved of CPU");
  EXPECT_THAT(std::string{texts_->reason_text()}, StartsWith(health.reason));
  EXPECT_TRUE(liveness(*record_).ok);
  EXPECT_THAT(std::string{texts_->not_live_text()}, ::testing::IsEmpty());
}

TEST_F(EmergencyPage, OnlyWhatIsJudgedHungIsNotAlive) {
  EXPECT_TRUE(liveness(*record_).ok) << "stalled is not hung";
  hang(0, watchdog::Subject::loop, "victim", watchdog::Level::hung);
  emergency();
  EXPECT_EQ(liveness(*record_).reason, "loop hung for 12 s: lock");
  EXPECT_EQ(std::string{texts_->not_live_text()}, liveness(*record_).reason);
  hang(0, watchdog::Subject::run, "victim", watchdog::Level::hung);
  EXPECT_TRUE(liveness(*record_).ok) << "one run is not canaryd";
}

TEST_F(EmergencyPage, IsNotAliveOnceNobodyHasJudgedForLong) {
  record_->tick_ns.store(runtime::now_ns() - 59'000'000'000);
  EXPECT_TRUE(liveness(*record_).ok) << "main still may";
  record_->tick_ns.store(runtime::now_ns() - 61'000'000'000);
  EXPECT_EQ(liveness(*record_).reason,
            "the watchdog has not ticked for 61 s, and nobody has ended the process for it");
}

TEST_F(EmergencyPage, KeepsQuietAboutProbesThatItKnowsNothingOf) {
  auto const text = emergency();
  EXPECT_THAT(text, Not(HasSubstr("probe=\"fine\"")));
  EXPECT_THAT(text, Not(HasSubstr("canaryd_probe_success")));
}

TEST_F(EmergencyPage, KeepsTheStartOfTheProcessToTheLastDigit) {
  // Else changes(process_start_time_seconds) would call it a restart.
  auto const usual = ordinary();
  auto const line = [](std::string const& page) {
    auto const at = page.find("\nprocess_start_time_seconds ");
    return at == std::string::npos ? "" : page.substr(at, page.find('\n', at + 1) - at);
  };
  EXPECT_THAT(line(usual), StartsWith("\nprocess_start_time_seconds 1"));
  EXPECT_EQ(line(emergency(unchanging_metrics(usual))), line(usual));
}

TEST_F(EmergencyPage, IsWholeHoweverMuchHangs) {
  std::string const longest(100, 'n');
  for (std::size_t i = 0; i < watchdog::kIncidents; ++i) {
    hang(i, Subject::run, longest.substr(0, 97) + std::to_string(100 + i));
  }
  for (int i = 0; i < 500; ++i) quarantine(longest.substr(0, 97) + std::to_string(100 + i));
  auto const text = emergency(unchanging_metrics(ordinary()));
  EXPECT_LT(text.size(), watchdog::kEmergencyPageBytes * 3 / 4);
  auto const page = parsed(text);
  EXPECT_TRUE(page.has("canaryd_executor_heartbeat_lag_seconds_count")) << "the last one";
}

TEST_F(EmergencyPage, NeverEndsInTheMiddleOfALine) {
  metrics::Metric const one{"one_total", metrics::Type::counter, "First.", {"name"}};
  metrics::Metric const two{"two_seconds", metrics::Type::gauge, "Second."};
  for (std::size_t room = 0; room < 400; ++room) {
    std::string buffer(room, '\0');
    watchdog::PageText page{buffer};
    page.family(one).series().label("a\"b\\c\n\xFF").value(7);
    page.family(two).series().seconds(1'050'000'000);
    page.comment().add("a\nb ").number(12).add(" ").tenths(1'990'000'000).end();
    auto const view = std::string{page.view()};
    ASSERT_TRUE(view.empty() || view.back() == '\n') << room;
    ASSERT_THAT(tests::parse_exposition(view).problems, IsEmpty()) << view;
    if (page.cut()) continue;
    EXPECT_EQ(view,
              "# HELP one_total First.\n# TYPE one_total counter\n"
              "one_total{name=\"a\\\"b\\\\c??\"} 7\n"
              "# HELP two_seconds Second.\n# TYPE two_seconds gauge\ntwo_seconds 1.05\n"
              "# a b 12 1.9 s\n");
  }
}

TEST_F(EmergencyPage, CountsOperationsOfMoreKindsThanItShowsAsOther) {
  static constexpr char kMany[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (std::size_t i = 0; i < 30; ++i) {
    auto& operation = tables_.operations()[i];
    operation.kind.store(runtime::pair_of(0, runtime::text_offset(kMany + i)));
    operation.store_head({.state = runtime::OperationHead::pending}, std::memory_order_release);
  }
  auto const kinds = watchdog::pending_kinds(tables_);
  EXPECT_EQ(kinds.count, watchdog::PendingKinds::kKinds);
  EXPECT_EQ(kinds.kinds[0].name, kMany);
  EXPECT_EQ(kinds.kinds.back().name, "other");
  EXPECT_EQ(kinds.kinds.back().number, 30 - (watchdog::PendingKinds::kKinds - 1));
  parsed(emergency());
  for (auto& operation : tables_.operations()) {
    operation.store_head({}, std::memory_order_release);
  }
}

TEST_F(EmergencyPage, PassesPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "promtool (package prometheus) is not installed";
  }
  char path[] = "/tmp/canary-metrics-XXXXXX";
  int const fd = ::mkstemp(path);
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::ofstream{path} << emergency(unchanging_metrics(ordinary()));
  EXPECT_EQ(std::system(("promtool check metrics < " + std::string{path}).c_str()), 0);
  ::unlink(path);
}

TEST_F(EmergencyPage, IsWhatMakesTheServersOwnHealthBad) {
  record_->executor_level.store(0);
  EXPECT_TRUE(executor_health(*record_, tables_).ok);
  record_->emergency_since_ns.store(runtime::now_ns() - 7'000'000'000);
  auto const health = executor_health(*record_, tables_);
  EXPECT_FALSE(health.ok);
  EXPECT_THAT(health.reason, StartsWith("the HTTP server hangs: for 7 s"));
}

}  // namespace
}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// The page that Prometheus scrapes, read back by a parser of its own and by promtool.
#include "daemon/publish/metrics.h"

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/exposition.h"
#include "daemon/results/history.h"
#include "tests/daemon/publish/exposition_parser.h"
#include "tests/daemon/results/a_role.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Report;
using probes::Severity;
using ::testing::IsEmpty;

SysTime at(std::chrono::seconds since_start) { return SysTime{1'790'000'000s + since_start}; }

// A world with one healthy probe, to which each test changes one thing.
class World {
 public:
  World() {
    daemon_.version = "1.2.3";
    daemon_.revision = "abc";
    daemon_.started = at(0s);
    daemon_.last_reload_success = at(1s);
    daemon_.full_metrics = true;
    facts_ = {.name = "demo",
              .repository = "demo-repo",
              .kind = &tuf::kDeclaration,
              .enabled = true,
              .interval = 60s,
              .timeout = 30s,
              .url = "https://demo.example/metadata",
              .host = "demo.example"};
    history_.emplace_back(facts_);
  }
  DaemonFacts& daemon() { return daemon_; }
  History& demo() { return history_.front(); }
  History& add(ProbeFacts facts) { return history_.emplace_back(std::move(facts)); }
  ProbeFacts facts() const { return facts_; }

  std::string page() {
    Snapshot snapshot;
    snapshot.daemon = &daemon_;
    for (auto const& history : history_) snapshot.probes.push_back(&history.row());
    snapshot.schedule_lag.observe(20ms);
    return render_metrics({.snapshot = snapshot,
                           .requests = {{"/metrics", 200, 3}},
                           .process = process_facts(),
                           .log_lines_dropped = 4,
                           .now = at(100s) + 250ms});
  }
  tests::Exposition parsed() {
    auto result = tests::parse_exposition(page());
    EXPECT_THAT(result.problems, IsEmpty());
    return result;
  }

 private:
  DaemonFacts daemon_;
  ProbeFacts facts_;
  std::deque<History> history_;
};

Report full_report() {
  Report report;
  report.findings = {{"expiry", "root", Severity::ok, Reason::none, "", ""},
                     {"expiry", "targets", Severity::critical, Reason::expired, "expired", ""},
                     {"expiry", "snapshot", Severity::unknown, Reason::timeout, "", ""},
                     {"reachable", "", Severity::unknown, Reason::dns, "", ""},
                     {"root_chain", "", Severity::ok, Reason::none, "", ""}};
  report.measurements.things = {
      a_role("root", 5, {std::chrono::sys_seconds{1'800'000'000s}, 30 * 24h, 7 * 24h}, 4096)};
  report.measurements.phases[probes::Phase::resolve] = 20ms;
  report.measurements.phases[probes::Phase::verify] = 1500us;
  report.measurements.bytes_received = 1234;
  report.measurements.sample(tuf::kTargetCount, tuf::kVerified) = 9;
  report.measurements.certificates = {std::chrono::sys_seconds{1'795'000'000s},
                                      std::chrono::sys_seconds{1'794'000'000s}};
  return report;
}

TEST(Metrics, SayWhatIsKnownBeforeTheFirstRun) {
  World world;
  world.demo().scheduled(at(7s));
  auto const page = world.parsed();

  EXPECT_EQ(
      page.value(R"(canaryd_probe_info{host="demo.example",kind="tuf",)"
                 R"(metadata_url="https://demo.example/metadata",probe="demo",repo="demo-repo"})"),
      1);
  EXPECT_EQ(page.value(R"(canaryd_probe_interval_seconds{probe="demo"})"), 60);
  EXPECT_EQ(page.value(R"(canaryd_probe_timeout_seconds{probe="demo"})"), 30);
  EXPECT_EQ(page.value(R"(canaryd_probe_next_run_timestamp_seconds{probe="demo"})"), 1'790'000'007);
  EXPECT_EQ(page.value(R"(canaryd_probe_runs_total{probe="demo"})"), 0);
  EXPECT_FALSE(page.has(R"(canaryd_probe_success{probe="demo"})"));
  EXPECT_FALSE(page.has(R"(canaryd_probe_last_run_timestamp_seconds{probe="demo"})"));
  EXPECT_FALSE(page.has(R"(canaryd_probe_last_duration_seconds{probe="demo"})"));
}

TEST(Metrics, TellMaintenanceOfThoseThatAreInIt) {
  World world;
  world.daemon().full_metrics = false;
  auto announced = world.facts();
  announced.name = "announced";
  announced.maintenance = {
      {.when = config::Stretch{std::chrono::floor<std::chrono::seconds>(at(0s)),
                               std::chrono::floor<std::chrono::seconds>(at(200s))},
       .probes = {},
       .reason = "storage moves"}};
  world.add(announced);
  auto const page = world.parsed();
  EXPECT_EQ(page.value(R"(canaryd_probe_maintenance{probe="announced"})"), 1);
  EXPECT_FALSE(page.has(R"(canaryd_probe_maintenance{probe="demo"})"));
}

TEST(Metrics, StartEveryFailureAndSkipCounterAtZero) {
  World world;
  auto const page = world.parsed();
  for (auto const reason : probes::common_reasons()) {
    EXPECT_EQ(page.value("canaryd_probe_failures_total{probe=\"demo\",reason=\"" +
                         std::string{to_text(reason)} + "\"}"),
              0)
        << to_text(reason);
  }
  for (char const* reason : {"overlap", "concurrency", "paused", "offline", "disturbed"}) {
    EXPECT_EQ(page.value("canaryd_probe_runs_skipped_total{probe=\"demo\",reason=\"" +
                         std::string{reason} + "\"}"),
              0)
        << reason;
  }
}

TEST(Metrics, CountWhatIsAcceptedApartFromTheSeverity) {
  World world;
  Report report = full_report();
  report.findings[1].accepted = probes::Acceptance{.because = "known", .until = {}};
  world.demo().finished(at(12s), 1500ms, report);
  auto const page = world.parsed();
  auto const value = [&](std::string const& family, std::string const& check) {
    return page.value(family + "{check=\"" + check + "\",probe=\"demo\"}");
  };
  EXPECT_EQ(value("canaryd_probe_findings_accepted", "expiry"), 1);
  EXPECT_EQ(value("canaryd_probe_findings_accepted", "reachable"), 0);
  EXPECT_EQ(value("canaryd_probe_finding_severity", "expiry"), 3) << "the critical one is left out";
}

TEST(Metrics, ShowARunWithAllItFound) {
  World world;
  world.demo().started(at(10s));
  world.demo().finished(at(12s), 1500ms, full_report());
  world.demo().started(at(70s));
  auto const page = world.parsed();

  EXPECT_EQ(page.value(R"(canaryd_probe_success{probe="demo"})"), 0);
  EXPECT_EQ(page.value(R"(canaryd_probe_runs_total{probe="demo"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_failures_total{probe="demo",reason="expired"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_last_failure_info{probe="demo",reason="expired"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_last_duration_seconds{probe="demo"})"), 1.5);
  EXPECT_EQ(page.value(R"(canaryd_probe_last_run_timestamp_seconds{probe="demo"})"), 1'790'000'012);
  EXPECT_FALSE(page.has(R"(canaryd_probe_last_success_timestamp_seconds{probe="demo"})"));
  EXPECT_EQ(page.value(R"(canaryd_probe_in_flight{probe="demo"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_in_flight_start_timestamp_seconds{probe="demo"})"),
            1'790'000'070);
  EXPECT_EQ(page.value(R"(canaryd_probe_duration_seconds_bucket{le="1",probe="demo"})"), 0);
  EXPECT_EQ(page.value(R"(canaryd_probe_duration_seconds_bucket{le="2.5",probe="demo"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_duration_seconds_bucket{le="+Inf",probe="demo"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_duration_seconds_count{probe="demo"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_duration_seconds_sum{probe="demo"})"), 1.5);
  EXPECT_EQ(page.value(R"(canaryd_probe_phase_duration_seconds{phase="dns",probe="demo"})"), 0.02);
  EXPECT_EQ(page.value(R"(canaryd_probe_phase_duration_seconds{phase="verify",probe="demo"})"),
            0.0015);
  EXPECT_EQ(page.value(R"(canaryd_probe_received_bytes_total{probe="demo"})"), 1234);
  EXPECT_EQ(page.value(R"(canaryd_tuf_targets{outcome="verified",probe="demo"})"), 9);
  EXPECT_EQ(page.value(R"(canaryd_tls_cert_not_after_timestamp_seconds{probe="demo"})"),
            1'795'000'000);
  EXPECT_EQ(page.value(R"(canaryd_tls_cert_warning_timestamp_seconds{probe="demo"})"),
            1'794'000'000);
}

TEST(Metrics, GiveEachCheckItsWorstFindingAndBadBeforeUnableToTell) {
  World world;
  world.demo().finished(at(12s), 1ms, full_report());
  auto const page = world.parsed();
  EXPECT_EQ(page.value(R"(canaryd_probe_finding_severity{check="expiry",probe="demo"})"), 2);
  EXPECT_EQ(page.value(R"(canaryd_probe_finding_severity{check="reachable",probe="demo"})"), 3);
  EXPECT_EQ(page.value(R"(canaryd_probe_finding_severity{check="root_chain",probe="demo"})"), 0);
}

TEST(Metrics, ShowMetadataRolesWithTheirThresholds) {
  World world;
  world.demo().finished(at(12s), 1ms, full_report());
  auto const page = world.parsed();
  std::string const labels = R"({probe="demo",repo="demo-repo",role="root"})";
  EXPECT_EQ(page.value("canaryd_tuf_metadata_expiry_timestamp_seconds" + labels), 1'800'000'000);
  EXPECT_EQ(page.value("canaryd_tuf_metadata_version" + labels), 5);
  EXPECT_EQ(page.value("canaryd_tuf_metadata_expiry_warning_seconds" + labels), 30 * 86'400);
  EXPECT_EQ(page.value("canaryd_tuf_metadata_expiry_critical_seconds" + labels), 7 * 86'400);
  EXPECT_EQ(page.value("canaryd_tuf_metadata_size_bytes" + labels), 4096);
}

TEST(Metrics, KeepWhatIsKnownOfARepositoryWhenALaterRunFails) {
  World world;
  world.demo().finished(at(12s), 1ms, full_report());
  world.demo().finished(at(72s), 1ms, Report{});
  auto const page = world.parsed();
  std::string const labels = R"({probe="demo",repo="demo-repo",role="root"})";
  auto const first = std::chrono::duration<double>(at(12s).time_since_epoch()).count();
  EXPECT_EQ(page.value("canaryd_tuf_metadata_expiry_timestamp_seconds" + labels), 1'800'000'000);
  EXPECT_EQ(page.value("canaryd_tuf_metadata_seen_timestamp_seconds" + labels), first);
  EXPECT_EQ(page.value(R"(canaryd_tls_cert_not_after_timestamp_seconds{probe="demo"})"),
            1'795'000'000);
  EXPECT_EQ(page.value(R"(canaryd_tls_cert_seen_timestamp_seconds{probe="demo"})"), first);
}

TEST(Metrics, BoundTheSeriesOfDelegatedRolesToThoseThatExpireFirst) {
  World world;
  Report report;
  for (int i = 0; i < 16'384; ++i) {
    report.measurements.things.push_back(a_delegated_role(
        "bin-" + std::to_string(i), std::chrono::sys_seconds{1'900'000'000s - i * 1s}));
  }
  report.measurements.things.push_back(
      a_role("targets", 1, {.at = std::chrono::sys_seconds{2'000'000'000s}}));
  auto earlier =
      a_delegated_role("seen by an earlier run", std::chrono::sys_seconds{2'000'000'000s});
  earlier.seen = std::chrono::sys_seconds{1'700'000'000s};
  report.measurements.things.push_back(earlier);
  world.demo().finished(at(12s), 1ms, std::move(report));
  auto const page = world.parsed();

  std::size_t series = 0;
  for (auto const& [name, value] : page.samples) {
    if (name.starts_with("canaryd_tuf_metadata_version{")) ++series;
  }
  EXPECT_EQ(series, 65u);
  auto const version = [&](std::string const& role) {
    return page.has(R"(canaryd_tuf_metadata_version{probe="demo",repo="demo-repo",role=")" + role +
                    "\"}");
  };
  EXPECT_TRUE(version("targets"));
  EXPECT_TRUE(version("bin-16383"));
  EXPECT_FALSE(version("bin-0"));
  EXPECT_EQ(page.value(R"(canaryd_tuf_roles{probe="demo"})"), 16'385);
}

TEST(Metrics, NameWhatEndsFirstOfEachKindOfThing) {
  World world;
  Report report;
  std::chrono::sys_seconds const end{1'800'000'000s};
  report.measurements.things = {a_role("root", 1, {.at = end + 9s}), a_delegated_role("bin", end),
                                a_role("targets", 1, {.at = end + 1s})};
  world.demo().finished(at(12s), 1ms, std::move(report));
  auto const page = world.parsed();
  EXPECT_EQ(page.value("canaryd_deadline_timestamp_seconds"
                       R"({probe="demo",subject="bin",subject_kind="role"})"),
            1'800'000'000);
  EXPECT_FALSE(
      page.has("canaryd_deadline_timestamp_seconds"
               R"({probe="demo",subject="root",subject_kind="role"})"));
}

TEST(Metrics, StartTheReasonsOfTheKindAtZeroToo) {
  World world;
  EXPECT_EQ(
      world.parsed().value(R"(canaryd_probe_failures_total{probe="demo",reason="target_missing"})"),
      0);
}

TEST(Metrics, EscapeHostileRoleNamesAndShowEachRoleOnce) {
  World world;
  Report report;
  std::string const hostile = "a\"} 1\nevil{x=\"\\";
  for (std::string const& role : {hostile, hostile, std::string{"\xFF"}, std::string(5000, 'x')}) {
    report.measurements.things.push_back(a_delegated_role(role, {}));
  }
  world.demo().finished(at(12s), 1ms, std::move(report));

  auto const page = world.parsed();  // refuses a series that is there twice
  std::string const labels = R"({probe="demo",repo="demo-repo",role=")";
  EXPECT_TRUE(page.has("canaryd_tuf_metadata_version" + labels + R"(a"} 1\nevil{x="\)" + "\"}"));
  EXPECT_TRUE(page.has("canaryd_tuf_metadata_version" + labels + R"(\xff)" + "\"}"));
  EXPECT_TRUE(
      page.has("canaryd_tuf_metadata_version" + labels + std::string(119, 'x') + "... [cut]\"}"));
}

TEST(Metrics, LeaveOutAPausedProbeButSayThatItIsOne) {
  World world;
  auto facts = world.facts();
  facts.name = "paused";
  facts.enabled = false;
  world.add(facts).finished(at(1s), 1ms, full_report());
  auto const page = world.parsed();

  EXPECT_EQ(page.value("canaryd_config_probes"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_enabled{probe="paused"})"), 0);
  EXPECT_EQ(page.value(R"(canaryd_probe_enabled{probe="demo"})"), 1);
  EXPECT_FALSE(page.has(R"(canaryd_probe_interval_seconds{probe="paused"})"))
      << "CanarydProbeNeverRan would fire for it";
  EXPECT_FALSE(page.has(R"(canaryd_probe_success{probe="paused"})"));
}

TEST(Metrics, DescribeTheDaemon) {
  World world;
  world.daemon().reload_successful = false;
  auto const page = world.parsed();

  EXPECT_EQ(page.value("canaryd_time_seconds"), 1'790'000'100.25);
  EXPECT_EQ(page.value("canaryd_config_last_reload_successful"), 0);
  EXPECT_EQ(page.value("canaryd_config_last_reload_success_timestamp_seconds"), 1'790'000'001);
  EXPECT_EQ(page.value(R"(canaryd_http_requests_total{code="200",handler="/metrics"})"), 3);
  EXPECT_EQ(page.value("canaryd_log_lines_dropped_total"), 4);
  EXPECT_EQ(page.value(R"(canaryd_schedule_lag_seconds_bucket{le="0.01"})"), 0);
  EXPECT_EQ(page.value(R"(canaryd_schedule_lag_seconds_bucket{le="0.05"})"), 1);
  EXPECT_GT(page.value("process_resident_memory_bytes"), 1'000'000);
  EXPECT_GT(page.value("process_virtual_memory_bytes"),
            page.value("process_resident_memory_bytes"));
  EXPECT_GE(page.value("process_open_fds"), 3);
  EXPECT_GT(page.value("process_max_fds"), page.value("process_open_fds"));
  EXPECT_GE(page.value("process_threads"), 1);
  EXPECT_GT(page.value("process_start_time_seconds"), 1'600'000'000);
  EXPECT_GE(page.value("process_cpu_seconds_total"), 0);
}

TEST(Metrics, AreTheSameTextForTheSameState) {
  World world;
  world.demo().finished(at(12s), 1ms, full_report());
  auto const without_process = [](std::string page) {
    return page.substr(0, page.find("process_"));
  };
  EXPECT_EQ(without_process(world.page()), without_process(world.page()));
}

TEST(Metrics, CallCountersTotalAndNothingElse) {
  World world;
  world.demo().finished(at(12s), 1ms, full_report());
  for (auto const& [name, family] : world.parsed().families) {
    EXPECT_EQ(name.ends_with("_total"), family.type == "counter") << name;
    EXPECT_FALSE(family.help.empty()) << name;
  }
}

TEST(Metrics, PassPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "promtool (package prometheus) is not installed";
  }
  World world;
  world.demo().finished(at(12s), 1ms, full_report());
  char path[] = "/tmp/canary-metrics-XXXXXX";
  int const fd = ::mkstemp(path);
  ASSERT_GE(fd, 0);
  ::close(fd);
  std::ofstream{path} << world.page();
  EXPECT_EQ(std::system(("promtool check metrics < " + std::string{path}).c_str()), 0);
  ::unlink(path);
}

TEST(Exposition, WritesWhatTheFormatAsksFor) {
  std::string out;
  metrics::Metric const odd{"odd", metrics::Type::gauge, "line\nand \\ \"slash\"", {"l"}};
  Family{out, odd}.add({"a\"b\\c\nd"}, std::optional{0.1});
  EXPECT_EQ(out,
            "# HELP odd line\\nand \\\\ \"slash\"\n"
            "# TYPE odd gauge\n"
            "odd{l=\"a\\\"b\\\\c\\nd\"} 0.1\n");
}

struct NumberCase {
  std::string name;
  double value;
  std::string text;
};
class ExpositionNumber : public ::testing::TestWithParam<NumberCase> {};
TEST_P(ExpositionNumber, IsWrittenAs) {
  std::string out;
  metrics::Metric const metric{"m", metrics::Type::gauge, "h"};
  Family{out, metric}.add({}, GetParam().value);
  EXPECT_THAT(out, ::testing::EndsWith("\nm " + GetParam().text + "\n"));
}
INSTANTIATE_TEST_SUITE_P(
    Cases, ExpositionNumber,
    ::testing::Values(NumberCase{"not_a_number", std::numeric_limits<double>::quiet_NaN(), "NaN"},
                      NumberCase{"infinite", std::numeric_limits<double>::infinity(), "+Inf"},
                      NumberCase{"minus_infinite", -std::numeric_limits<double>::infinity(),
                                 "-Inf"},
                      NumberCase{"instant", 1'790'000'000, "1790000000"},
                      NumberCase{"fraction", 1'790'000'000.123, "1790000000.123"},
                      NumberCase{"seventeen_digits", 0.1 + 0.2, "0.30000000000000004"},
                      NumberCase{"negative", -3, "-3"}),
    [](auto const& info) { return info.param.name; });

// ---- metrics.detail
// ------------------------------------------------------------------------------

std::size_t series_of_demo(std::string const& page) {
  std::size_t count = 0;
  for (auto at = page.find("probe=\"demo\""); at != std::string::npos;
       at = page.find("probe=\"demo\"", at + 1)) {
    ++count;
  }
  return count;
}

// What a page of ten thousand probes costs is decided here.
TEST(Metrics, OfAHealthyProbeAreFewByDefault) {
  World world;
  world.daemon().full_metrics = false;
  Report report;
  for (auto const check : tuf::kChecks) {
    report.findings.push_back({std::string{check}, "", Severity::ok, Reason::none, "", ""});
  }
  probes::Expiry const expiry{std::chrono::sys_seconds{1'800'000'000s}, 30 * 24h, 7 * 24h};
  for (auto const* const role : {"root", "timestamp", "snapshot", "targets"}) {
    report.measurements.things.push_back(a_role(role, 5, expiry, 4096));
  }
  report.measurements.sample(tuf::kTargetCount, tuf::kVerified) = 9;
  world.demo().finished(at(2s), 1s, std::move(report));
  std::string const page = world.page();
  EXPECT_LE(series_of_demo(page), 40U) << page;
}

TEST(Metrics, TellFingerprintsOfRolesWhereThePlaceIsNamedAndTheyAreKnown) {
  World world;
  Report report;
  report.measurements.things = {a_role("root", 5), a_role("targets", 5)};
  report.measurements.things.front().numbers[tuf::kFingerprint] = (std::int64_t{1} << 52) - 1;
  world.demo().finished(at(2s), 1s, std::move(report));
  EXPECT_FALSE(world.parsed().families.contains("canaryd_tuf_metadata_fingerprint"));
  EXPECT_EQ(world.parsed().value(R"(canaryd_shards{shard="0",vantage=""})"), 1);

  world.daemon().full_metrics = false;
  world.daemon().vantage = "fra";
  world.daemon().shard = {.index = 2, .count = 3};
  world.daemon().elsewhere = 8;
  auto const page = world.parsed();
  std::string const labels = R"({probe="demo",repo="demo-repo",role=)";
  EXPECT_EQ(page.value("canaryd_tuf_metadata_fingerprint" + labels + "\"root\"}"),
            4'503'599'627'370'495);
  EXPECT_FALSE(page.has("canaryd_tuf_metadata_fingerprint" + labels + "\"targets\"}"));
  EXPECT_EQ(page.value(R"(canaryd_shards{shard="2",vantage="fra"})"), 3);
  EXPECT_EQ(page.value("canaryd_config_probes_elsewhere"), 8);
}

TEST(Metrics, LeaveOutByDefaultWhatIsZeroOrForDetail) {
  World world;
  world.daemon().full_metrics = false;
  world.demo().finished(at(2s), 1s, full_report());
  auto const page = world.parsed();
  EXPECT_EQ(page.value(R"(canaryd_probe_failed_runs_total{probe="demo"})"), 1);
  EXPECT_EQ(page.value(R"(canaryd_probe_failures_total{probe="demo",reason="expired"})"), 1);
  EXPECT_FALSE(page.has(R"(canaryd_probe_failures_total{probe="demo",reason="dns"})"));
  EXPECT_EQ(page.value(R"(canaryd_probe_finding_severity{check="expiry",probe="demo"})"), 2);
  EXPECT_FALSE(page.has(R"(canaryd_probe_finding_severity{check="root_chain",probe="demo"})"));
  EXPECT_EQ(page.value(R"(canaryd_probe_runs_skipped_total{probe="demo",reason="overlap"})"), 0);
  EXPECT_FALSE(page.families.contains("canaryd_probe_duration_seconds"));
  EXPECT_FALSE(page.families.contains("canaryd_tuf_metadata_size_bytes"));
  EXPECT_FALSE(page.families.contains("canaryd_probe_enabled"));

  world.daemon().full_metrics = true;
  auto const full = world.parsed();
  EXPECT_EQ(full.value(R"(canaryd_probe_failures_total{probe="demo",reason="dns"})"), 0);
  EXPECT_EQ(full.value(R"(canaryd_probe_finding_severity{check="root_chain",probe="demo"})"), 0);
  EXPECT_EQ(full.value(R"(canaryd_probe_duration_seconds_count{probe="demo"})"), 1);
  EXPECT_EQ(full.value(R"(canaryd_probe_enabled{probe="demo"})"), 1);
}

TEST(Exposition, LeavesOutAFamilyWithoutSeries) {
  std::string out;
  {
    metrics::Metric const none{"none_total", metrics::Type::counter, "h"};
    Family const family{out, none};
  }
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// Valid configurations: what ends up in the Config, from which file, and how it is shown again.
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/differences.h"
#include "probes/tuf/spec.h"
#include "tests/config/load_fixture.h"

namespace canary::config {
namespace {

TEST_F(Load, TakesDefaultsWhereNothingIsGiven) {
  auto const config = load_text("probes:\n" + probe("a"));

  ASSERT_EQ(config.probes.size(), 1u);
  EXPECT_EQ(config.web, WebSettings{});
  EXPECT_EQ(config.log, LogSettings{});
  EXPECT_EQ(config.scheduler, SchedulerSettings{});
  EXPECT_EQ(config.state_directory, "/var/lib/canaryd");
  auto const& spec = config.probes[0];
  EXPECT_EQ(spec.name.text, "a");
  EXPECT_EQ(spec.repository, "a");
  EXPECT_TRUE(spec.enabled);
  EXPECT_EQ(spec.interval, 5min);
  EXPECT_EQ(spec.timeout, 2min);
  EXPECT_EQ(spec.http, HttpSettings{});
  EXPECT_EQ(tuf(spec).metadata_url.text(), "https://a.example/md");
  EXPECT_EQ(tuf(spec).root, dir.path() / "root.json");
  EXPECT_EQ(tuf(spec).expiry, canary::tuf::ExpirySpec{});
  EXPECT_EQ(tuf(spec).limits, canary::tuf::MetadataLimits{});
  EXPECT_FALSE(tuf(spec).targets_url);
}

TEST_F(Load, TellsThresholdsThatAreFittedFromThoseThatHoldAsTheyStand) {
  auto const config = load_text(
      "defaults: {tuf: {expiry: {root: {warning: 40d}, targets: {warning: up to 20d}}}}\n"
      "probes:\n" +
      probe("a"));
  auto const& expiry = tuf(config.probes.at(0)).expiry;
  EXPECT_EQ(expiry.root.warning, ExpiryThreshold{days{40}});
  EXPECT_FALSE(expiry.root.warning.fitted);
  EXPECT_EQ(expiry.root.critical, ExpiryThreshold::up_to(days{7})) << "the default's";
  EXPECT_EQ(expiry.targets.warning, ExpiryThreshold::up_to(days{20}));
}

TEST_F(Load, AddsWhatAProbeAcceptsToWhatAllAccept) {
  auto const config = load_text(
      "defaults:\n"
      "  accept:\n"
      "    - {finding: metadata/*/parse, because: old writer, until: 2027-01-31}\n"
      "    - {finding: signatures/root/signature, because: old ids, until: 2027-01-31}\n"
      "probes:\n" +
      probe("a") +
      "    accept:\n"
      "      - {finding: signatures/root/signature, because: ours, until: 2027-03-31T12:00:00Z,\n"
      "         severity: unknown}\n"
      "      - {finding: consistency//equivocation, because: known, until: 2027-03-31}\n"
      "      - {finding: targets/a/b/target_missing, because: gone, until: 2027-03-31,\n"
      "         severity: critical}\n" +
      probe("b"));
  ASSERT_EQ(config.probes.size(), 2u);
  auto const& accept = config.probes[0].accept;
  ASSERT_EQ(accept.size(), 4u);
  EXPECT_EQ(accept[0].finding(), "metadata/*/parse");
  EXPECT_EQ(accept[1].because, "ours");
  EXPECT_EQ(accept[1].until,
            std::chrono::sys_days{std::chrono::year{2027} / 3 / 31} + std::chrono::hours{12});
  EXPECT_EQ(accept[1].worst, AcceptSpec::Worst::unknown);
  EXPECT_EQ(accept[2].subject, "");
  EXPECT_EQ(accept[3].check, "targets");
  EXPECT_EQ(accept[3].subject, "a/b");
  EXPECT_EQ(accept[3].reason, "target_missing");
  EXPECT_EQ(config.probes[1].accept.size(), 2u);
  EXPECT_EQ(load_text(show(config)), config) << show(config);
}

TEST_F(Load, ReadsWindowsOfMaintenanceAndTellsWhatChangedOfThem) {
  std::string const windows =
      "maintenance:\n"
      "  - {from: 2027-03-01T23:00:00+01:00, to: 2027-03-02T02:00:00Z, probes: [\"a*\"],\n"
      "     reason: storage moves}\n"
      "  - {weekly: \"sun 02:00-04:00\", reason: patches}\n";
  auto const config = load_text(windows + "probes:\n" + probe("a1") + probe("b"));
  ASSERT_EQ(config.maintenance.size(), 2u);
  EXPECT_EQ(std::get<Stretch>(config.maintenance[0].when).from,
            std::chrono::sys_days{std::chrono::year{2027} / 3 / 1} + 22h);
  EXPECT_TRUE(config.maintenance[0].covers("a1"));
  EXPECT_FALSE(config.maintenance[0].covers("b"));
  EXPECT_TRUE(config.maintenance[1].covers("b")) << "all, where none is named";
  EXPECT_EQ(load_text(show(config)), config) << show(config);

  auto const without = load_text("probes:\n" + probe("a1") + probe("b"));
  EXPECT_THAT(differences(without, config),
              ::testing::Contains("maintenance[sun 02:00-04:00, patches].reason: none -> "
                                  "\"patches\""));
}

// What a wait may take is bounded by its run, and the limit is whatever the file says.
TEST_F(Load, TakesAWaitThatTheWatchdogDoesNotOutlast) {
  EXPECT_EQ(load_text("probes:\n" + probe("a") +
                      "    timeout: 59s\n"
                      "    http: {first_byte_timeout: 10m}\n")
                .probes[0]
                .http.first_byte_timeout,
            10min);
  EXPECT_EQ(load_text("watchdog: {run_stall: 11m}\n"
                      "probes:\n" +
                      probe("a") +
                      "    timeout: 1h\n"
                      "    http: {idle_timeout: 10m}\n")
                .probes[0]
                .http.idle_timeout,
            10min);
}

TEST_F(Load, ReadsEveryTopLevelSetting) {
  auto const config = load_text(
      "state_directory: state\n"
      "workers: 3\n"
      "web: {listen_addresses: [\"[::1]:0\", \":9732\"], max_connections: 7, timeout: 1m}\n"
      "log: {level: debug, format: json}\n"
      "scheduler: {max_concurrent_runs: 2, max_concurrent_runs_per_host: 1, start_spread: 0s,\n"
      "            stop_timeout: 3s}\n"
      "watchdog: {loop_suspect: 100ms, loop_stall: 500ms, loop_hung: 2s, loop_dead: 4s,\n"
      "           run_stall: 40s, run_unwind: 1s, worker_stall: 5s, disk_stall: 6s,\n"
      "           server_stall: 7s, scheduler_stall: 8s, on_dead: exec, dumps_kept: 4,\n"
      "           dumps_bytes: 2MiB, quarantine_after: 2, quarantine_window: 1h}\n"
      "history: {keep: 30d, bytes: 8MiB}\n"
      "removed_probes: {results: 2d, trust: 3w}\n"
      "probes:\n" +
      probe("a"));

  EXPECT_EQ(config.state_directory, dir.path() / "state");
  EXPECT_EQ(config.workers, 3);
  EXPECT_THAT(config.web.listen_addresses, ElementsAre("[::1]:0", ":9732"));
  EXPECT_EQ(config.web.max_connections, 7);
  EXPECT_EQ(config.web.timeout, 1min);
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.log.format, LogFormat::json);
  EXPECT_EQ(config.scheduler.max_concurrent_runs, 2);
  EXPECT_EQ(config.scheduler.max_concurrent_runs_per_host, 1);
  EXPECT_EQ(config.scheduler.start_spread, 0s);
  EXPECT_EQ(config.scheduler.stop_timeout, 3s);
  WatchdogSettings const watchdog{.loop_suspect = 100ms,
                                  .loop_stall = 500ms,
                                  .loop_hung = 2s,
                                  .loop_dead = 4s,
                                  .run_stall = 40s,
                                  .run_unwind = 1s,
                                  .worker_stall = 5s,
                                  .disk_stall = 6s,
                                  .server_stall = 7s,
                                  .scheduler_stall = 8s,
                                  .on_dead = WatchdogSettings::OnDead::exec,
                                  .dumps_kept = 4,
                                  .dumps_bytes = 2 * 1024 * 1024,
                                  .quarantine_after = 2,
                                  .quarantine_window = 1h};
  EXPECT_EQ(config.watchdog, watchdog);
  EXPECT_EQ(config.removed_probes.results, 48h);
  EXPECT_EQ(config.removed_probes.trust, 24h * 21);
  EXPECT_EQ(config.history.keep, 24h * 30);
  EXPECT_EQ(config.history.bytes, 8 * 1024 * 1024);
}

constexpr char kDefaults[] = R"(
defaults:
  interval: 1m
  timeout: 10s
  http:
    max_attempts: 1
    ip_family: ipv6
    headers: {X-A: a, X-B: b}
  tuf:
    targets: all
    parallel_targets: 2
    expiry:
      delegated: {warning: 20d, critical: 10d}
      roles: {npm: {warning: 19d, critical: 9d}}
    limits: {root: 2MiB}
probes:
)";

TEST_F(Load, GivesDefaultsToEveryProbe) {
  auto const config = load_text(std::string(kDefaults) + probe("a") + probe("b"));

  ASSERT_EQ(config.probes.size(), 2u);
  for (auto const& spec : config.probes) {
    EXPECT_EQ(spec.interval, 1min);
    EXPECT_EQ(spec.timeout, 10s);
    EXPECT_EQ(spec.http.max_attempts, 1);
    EXPECT_EQ(spec.http.ip_family, IpFamily::v6);
    EXPECT_EQ(tuf(spec).targets.kind, Selection::Kind::all);
    EXPECT_EQ(tuf(spec).parallel_targets, 2);
    EXPECT_EQ(tuf(spec).limits.root, 2u << 20);
    EXPECT_EQ(tuf(spec).limits.timestamp, 1u << 20);
  }
}

TEST_F(Load, LetsAProbeOverrideDefaultsFieldByField) {
  auto const config = load_text(std::string(kDefaults) + R"(
  - name: a
    repository: repo one
    interval: 2m
    http: {max_attempts: 4, headers: {x-b: other, X-C: c}}
    tuf:
      metadata_url: http://[::1]:8000/
      targets_url: file:///srv/targets
      root: root.json
      targets: [one, all]
      expiry: {root: {critical: 1d}, roles: {npm: {critical: 1d}, other: {critical: 0s}}}
      limits: {timestamp: 1KiB, root_rotations: 3, delegated_roles: 9}
)");

  ASSERT_EQ(config.probes.size(), 1u);
  auto const& spec = config.probes[0];
  EXPECT_EQ(spec.repository, "repo one");
  EXPECT_EQ(spec.interval, 2min);
  EXPECT_EQ(spec.timeout, 10s);
  EXPECT_EQ(spec.http.max_attempts, 4);
  EXPECT_EQ(spec.http.ip_family, IpFamily::v6);
  EXPECT_THAT(spec.http.headers,
              ElementsAre(std::pair("X-A", "a"), std::pair("X-C", "c"), std::pair("x-b", "other")));
  EXPECT_EQ(tuf(spec).targets.kind, Selection::Kind::names);
  EXPECT_THAT(tuf(spec).targets.names, ElementsAre("one", "all"));
  EXPECT_EQ(tuf(spec).targets_url.value_or(Url{}).path(), "/srv/targets");
  EXPECT_EQ(tuf(spec).expiry.root, (ExpiryThresholds{ExpiryThreshold::up_to(days{30}), days{1}}));
  EXPECT_EQ(tuf(spec).expiry.roles.at("npm"), (ExpiryThresholds{days{19}, days{1}}));
  EXPECT_EQ(tuf(spec).expiry.roles.at("other"), (ExpiryThresholds{days{20}, 0s}));
  EXPECT_EQ(tuf(spec).limits.root, 2u << 20);
  EXPECT_EQ(tuf(spec).limits.timestamp, 1u << 10);
  EXPECT_EQ(tuf(spec).limits.root_rotations, 3);
  EXPECT_EQ(tuf(spec).limits.delegated_roles, 9);
}

TEST_F(Load, ReadsProxies) {
  auto const proxied = [&](std::string const& value) {
    return load_text("defaults: {http: {proxy: " + value + "}}\nprobes:\n" + probe("a"))
        .probes.at(0)
        .http;
  };
  EXPECT_EQ(proxied("'http://p.example:3128'").proxy, "http://p.example:3128");
  EXPECT_FALSE(proxied("none").proxy_from_environment);
  EXPECT_TRUE(proxied("environment").proxy_from_environment);
}

TEST_F(Load, ShowsWhatLoadsAgainAsTheSame) {
  dir.write("ca.pem", "x");
  auto const config = load_text(std::string(kDefaults) + R"(
  - name: a
    repository: "quote \" back \\ slash: # ü"
    enabled: false
    interval: 1h1m1s
    http: {ca_file: ca.pem, client_cert_file: ca.pem, client_key_file: ca.pem, min_rate: 0,
           proxy: "http://p:1", headers: {X-Empty: "", X-Odd: "a\tb \"c\""}}
    tuf:
      metadata_url: https://a.example/%5B
      targets_url: https://a.example/t
      root: root.json
      targets: ["a b", "none", "- c: d"]
      max_target_bytes: 12345
      expiry: {roles: {"role: odd": {warning: 2d, critical: 1h}}}
)" + probe("b"));

  auto const again =
      load(dir.write("elsewhere/shown.yml", show(config)), environment, probes::configured_kinds());
  ASSERT_TRUE(again) << text_of(again) << show(config);
  EXPECT_EQ(again.value(), config) << show(config);
  EXPECT_EQ(show(again.value()), show(config));
}

TEST_F(Load, SortsProblemsByPlaceAndFindsThemAll) {
  auto const text = problems(
      "workers: -1\nprobes:\n"
      "  - name: a\n    interval: 0s\n    timeout: x\n"
      "    tuf: {root: root.json, metadata_url: a}\n"
      "log: {level: trace}\n");
  std::string const file = (dir.path() / "canaryd.yml").string();
  EXPECT_EQ(text, file + ":1:10: workers: expected 0 to 256, got -1\n" + file +
                      ":4:15: probes[0].interval: expected 1s to 31d, got 0s\n" + file +
                      ":5:14: probes[0].timeout: expected a duration such as 30s, 5m or 1h30m "
                      "(units ms, s, m, h, d, w), got \"x\"\n" +
                      file +
                      ":6:42: probes[0].tuf.metadata_url: no scheme, expected an absolute http, "
                      "https or file URL\n" +
                      file +
                      ":7:14: log.level: expected debug, info, warn or error, got \"trace\"\n");
}

TEST(ProcessEnvironment, HoldsThisProcesssVariables) {
  ::setenv("CANARY_CONFIG_TEST", "a=b", 1);
  EXPECT_EQ(process_environment().at("CANARY_CONFIG_TEST"), "a=b");
  ::unsetenv("CANARY_CONFIG_TEST");
}

TEST_F(Load, TellsThatAQueryIsAnotherWithoutShowingIt) {
  auto const with = [&](std::string const& query) {
    auto loaded = load(dir.write("a.yml",
                                 "probes:\n  - name: a\n    tuf: {metadata_url: "
                                 "'https://a.example/md?" +
                                     query + "', root: root.json}\n"),
                       {}, probes::configured_kinds());
    EXPECT_TRUE(loaded) << text_of(loaded);
    return std::move(loaded).value();
  };
  EXPECT_THAT(differences(with("token=one"), with("token=one")), ElementsAre());
  EXPECT_THAT(differences(with("token=one"), with("token=two")),
              ElementsAre("probe a: tuf.metadata_url: \"https://a.example/md?...\" -> "
                          "\"https://a.example/md?...\" (another query, which may be secret)"));
}

TEST_F(Load, AShardKeepsItsProbesAndCountsTheOthersThatAreEnabled) {
  std::string yaml = "shard: 1/3\nvantage: fra-1\nprobes:\n";
  for (int i = 0; i < 30; ++i) yaml += probe("p" + std::to_string(i));
  yaml += probe("paused") + "    enabled: false\n";
  auto const all = load_text(yaml);
  EXPECT_EQ(all.vantage, "fra-1");
  EXPECT_THAT(show(all), HasSubstr("shard: \"1/3\"\nvantage: \"fra-1\"\n"));

  std::size_t kept = 0, enabled = 0;
  for (int index = 0; index < 3; ++index) {
    auto config = all;
    config.shard.index = index;
    keep_shard(config);
    kept += config.probes.size();
    for (auto const& own : config.probes) {
      EXPECT_EQ(shard_of(own.name.text, 3), index);
      enabled += own.enabled ? 1 : 0;
    }
    EXPECT_EQ(config.elsewhere + config.probes.size() - (own_paused(config) ? 1 : 0), 30U);
  }
  EXPECT_EQ(kept, 31U);
  EXPECT_EQ(enabled, 30U);
}

}  // namespace
}  // namespace canary::config

// SPDX-License-Identifier: Apache-2.0
// The description of every field: name, range, and the rules between fields.
// Thread: none (pure).
#include "config/fields.h"

#include <limits>

#include "config/duration.h"

namespace canary::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr milliseconds kLongestWait = 1h;
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t kSmallestMetadata = 128;
constexpr std::uint64_t kLargestMetadata = 1024 * kMebibyte;

template <class Enum>
void choose(FieldVisitor& visitor, std::string_view name, Enum& value,
            std::vector<std::string> const& names) {
  auto index = static_cast<std::size_t>(value);
  visitor.choice(name, index, names);
  value = static_cast<Enum>(index);
}

void describe(FieldVisitor& v, WebSettings& web) {
  v.addresses("listen_addresses", web.listen_addresses);
  v.integer("max_connections", web.max_connections, 1, 10'000);
  v.duration("timeout", web.timeout, 1s, kLongestWait);
}

void describe(FieldVisitor& v, LogSettings& log) {
  choose(v, "level", log.level, {"debug", "info", "warn", "error"});
  choose(v, "format", log.format, {"logfmt", "json"});
}

void describe(FieldVisitor& v, SchedulerSettings& scheduler) {
  v.integer("max_concurrent_runs", scheduler.max_concurrent_runs, 1, 10'000);
  v.integer("max_concurrent_runs_per_host", scheduler.max_concurrent_runs_per_host, 1, 10'000);
  v.duration("start_spread", scheduler.start_spread, 0ms, kLongestWait);
  v.duration("stop_timeout", scheduler.stop_timeout, 100ms, 10min);
}

void describe(FieldVisitor& v, WatchdogSettings& watchdog) {
  v.duration("loop_suspect", watchdog.loop_suspect, 50ms, kLongestWait);
  v.duration("loop_stall", watchdog.loop_stall, 100ms, kLongestWait);
  v.duration("loop_hung", watchdog.loop_hung, 100ms, kLongestWait);
  v.duration("loop_dead", watchdog.loop_dead, 100ms, kLongestWait);
  v.require(watchdog.loop_suspect <= watchdog.loop_stall, "loop_suspect",
            "expected loop_suspect at most loop_stall (" + to_text(watchdog.loop_stall) +
                "), got " + to_text(watchdog.loop_suspect));
  v.require(watchdog.loop_stall <= watchdog.loop_hung, "loop_stall",
            "expected loop_stall at most loop_hung (" + to_text(watchdog.loop_hung) + "), got " +
                to_text(watchdog.loop_stall));
  v.require(watchdog.loop_hung <= watchdog.loop_dead, "loop_hung",
            "expected loop_hung at most loop_dead (" + to_text(watchdog.loop_dead) + "), got " +
                to_text(watchdog.loop_hung));
  v.duration("run_stall", watchdog.run_stall, 100ms, days{1});
  v.duration("run_unwind", watchdog.run_unwind, 100ms, kLongestWait);
  v.duration("worker_stall", watchdog.worker_stall, 100ms, days{1});
  v.duration("disk_stall", watchdog.disk_stall, 100ms, days{1});
  v.duration("server_stall", watchdog.server_stall, 1s, kLongestWait);
  v.duration("scheduler_stall", watchdog.scheduler_stall, 100ms, kLongestWait);
  choose(v, "on_dead", watchdog.on_dead, {"abort", "exec", "report"});
  v.integer("dumps_kept", watchdog.dumps_kept, 1, 10'000);
  v.size("dumps_bytes", watchdog.dumps_bytes, kMebibyte, 1024 * 1024 * kMebibyte);
  v.integer("quarantine_after", watchdog.quarantine_after, 1, 8);
  v.duration("quarantine_window", watchdog.quarantine_window, 1s, days{31});
}

void describe(FieldVisitor& v, HttpSettings& http) {
  v.duration("resolve_timeout", http.resolve_timeout, 10ms, kLongestWait);
  v.duration("connect_timeout", http.connect_timeout, 10ms, kLongestWait);
  v.duration("tls_timeout", http.tls_timeout, 10ms, kLongestWait);
  v.duration("first_byte_timeout", http.first_byte_timeout, 10ms, kLongestWait);
  v.duration("idle_timeout", http.idle_timeout, 10ms, kLongestWait);
  v.size("min_rate", http.min_rate, 0, 1024 * kMebibyte);
  v.duration("min_rate_window", http.min_rate_window, 1s, kLongestWait);
  v.integer("max_redirects", http.max_redirects, 0, 20);
  v.integer("max_attempts", http.max_attempts, 1, 20);
  v.duration("backoff_first", http.backoff_first, 1ms, kLongestWait);
  v.duration("backoff_limit", http.backoff_limit, 1ms, kLongestWait);
  v.require(http.backoff_first <= http.backoff_limit, "backoff_first",
            "expected backoff_first at most backoff_limit (" + to_text(http.backoff_limit) +
                "), got " + to_text(http.backoff_first));
  choose(v, "ip_family", http.ip_family, {"any", "ipv4", "ipv6"});
  v.file("ca_file", http.ca_file);
  v.file("client_cert_file", http.client_cert_file);
  v.file("client_key_file", http.client_key_file);
  v.require(http.client_cert_file || !http.client_key_file, "client_key_file",
            "expected client_cert_file beside it");
  v.require(http.client_key_file || !http.client_cert_file, "client_cert_file",
            "expected client_key_file beside it");
  v.proxy("proxy", http);
  v.credentials("proxy_credentials", http.proxy_credentials);
  v.headers("headers", http);
}

void describe(FieldVisitor& v, ExpiryPolicy& expiry) {
  v.section("root", [&] { describe(v, expiry.root); });
  v.section("timestamp", [&] { describe(v, expiry.timestamp); });
  v.section("snapshot", [&] { describe(v, expiry.snapshot); });
  v.section("targets", [&] { describe(v, expiry.targets); });
  v.section("delegated", [&] { describe(v, expiry.delegated); });
  v.roles("roles", expiry.roles, expiry.delegated);
}

void describe(FieldVisitor& v, MetadataLimits& limits) {
  v.size("root", limits.root, kSmallestMetadata, kLargestMetadata);
  v.size("timestamp", limits.timestamp, kSmallestMetadata, kLargestMetadata);
  v.size("snapshot", limits.snapshot, kSmallestMetadata, kLargestMetadata);
  v.size("targets", limits.targets, kSmallestMetadata, kLargestMetadata);
  v.integer("root_rotations", limits.root_rotations, 1, 65'536);
  v.integer("delegated_roles", limits.delegated_roles, 1, 1'000'000);
}

}  // namespace

void describe(FieldVisitor& v, ExpiryThresholds& thresholds) {
  v.threshold("warning", thresholds.warning);
  v.threshold("critical", thresholds.critical);
  v.require(thresholds.critical.span <= thresholds.warning.span, "critical",
            "expected critical at most warning (" + to_text(milliseconds{thresholds.warning.span}) +
                "), got " + to_text(milliseconds{thresholds.critical.span}));
}

void describe(FieldVisitor& v, Config& config) {
  v.folder("state_directory", config.state_directory);
  v.integer("workers", config.workers, 0, 256);
  v.section("web", [&] { describe(v, config.web); });
  v.section("log", [&] { describe(v, config.log); });
  v.section("scheduler", [&] { describe(v, config.scheduler); });
  v.section("watchdog", [&] { describe(v, config.watchdog); });
}

void describe_common(FieldVisitor& v, ProbeSpec& probe) {
  v.duration("interval", probe.interval, 1s, days{31});
  v.duration("timeout", probe.timeout, 100ms, days{1});
  v.section("http", [&] { describe(v, probe.http); });
  v.accept("accept", probe.accept);
}

void describe_defaults(FieldVisitor& v, TufSpec& spec) {
  v.targets("targets", spec.targets);
  v.integer("parallel_targets", spec.parallel_targets, 1, 64);
  v.size("max_target_bytes", spec.max_target_bytes, 1, kMebibyte * kMebibyte * 16);
  v.section("expiry", [&] { describe(v, spec.expiry); });
  v.section("limits", [&] { describe(v, spec.limits); });
}

void describe(FieldVisitor& v, TufSpec& spec) {
  v.url("metadata_url", spec.metadata_url);
  v.url("targets_url", spec.targets_url);
  v.file("root", spec.root);
  describe_defaults(v, spec);
}

std::vector<std::string> const& kind_names() {
  static std::vector<std::string> const names{"tuf"};
  static_assert(std::variant_size_v<decltype(ProbeSpec::kind)> == 1, "name every kind above");
  return names;
}

ProbeSpec default_probe(std::size_t kind) {
  ProbeSpec probe;
  if (kind == 0) probe.kind = TufSpec{};
  return probe;
}

}  // namespace canary::config

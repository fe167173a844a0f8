// SPDX-License-Identifier: Apache-2.0
// The whole configuration as one immutable, validated value, and how it is read from YAML.
// Thread: any; load() reads files and blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/discovery.h"
#include "config/kinds.h"
#include "config/maintenance.h"
#include "config/probe_spec.h"
#include "config/problem.h"
#include "config/result.h"
#include "config/shard.h"

namespace canary::config {

struct WebSettings {
  std::vector<std::string> listen_addresses{"127.0.0.1:9732"};  // "host:port", "[::]:port", ":port"
  int max_connections = 256;                                    // per address
  milliseconds timeout{30'000};  // a client that sends or reads nothing for this long is cut
  friend bool operator==(WebSettings const&, WebSettings const&) = default;
};

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { logfmt, json };

struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::logfmt;
  friend bool operator==(LogSettings const&, LogSettings const&) = default;
};

// When the watchdog calls something late, and what it does about it. docs/hangs.md explains each.
struct WatchdogSettings {
  enum class OnDead { abort, exec, report };
  milliseconds loop_suspect{250};        // the loop did not turn for so long: count it
  milliseconds loop_stall{1'000};        // dump
  milliseconds loop_hung{10'000};        // dump again, not ready, not healthy
  milliseconds loop_dead{30'000};        // last dump, then on_dead
  milliseconds run_stall{60'000};        // a run without progress: dump and cancel it
  milliseconds run_unwind{5'000};        // what a cancelled run gets to end
  milliseconds worker_stall{30'000};     // one job of a hash worker, or one waiting for a worker
  milliseconds disk_stall{30'000};       // one job of the disk thread
  milliseconds server_stall{10'000};     // the HTTP server's answer to the watchdog's question
  milliseconds scheduler_stall{10'000};  // a due run that nobody looked at
  OnDead on_dead = OnDead::abort;        // exec: start canaryd anew in place; report: only say so
  int dumps_kept = 32;
  std::uint64_t dumps_bytes = 256 * 1024 * 1024;
  int quarantine_after = 3;                 // stalls of the loop by one probe ...
  milliseconds quarantine_window{600'000};  // ... within this
  friend bool operator==(WatchdogSettings const&, WatchdogSettings const&) = default;
};

struct SchedulerSettings {
  int max_concurrent_runs = 64;
  int max_concurrent_runs_per_host = 8;
  milliseconds start_spread{60'000};  // first runs are spread over min(interval, this)
  milliseconds stop_timeout{10'000};  // how long running probes get to unwind at stop
  friend bool operator==(SchedulerSettings const&, SchedulerSettings const&) = default;
};

// How long what happened is remembered; docs/history.md.
struct HistorySettings {
  milliseconds keep{std::chrono::hours{24} * 400};
  std::uint64_t bytes = 1024 * 1024 * 1024;  // of the database; the oldest runs go first
  friend bool operator==(HistorySettings const&, HistorySettings const&) = default;
};

// How long what is known of probes is kept that neither a file nor a list has any longer, counted
// while canaryd runs; docs/canaryd.md.
struct RemovedProbesSettings {
  milliseconds results{std::chrono::hours{24} * 30};
  milliseconds trust{std::chrono::hours{24} * 365};
  friend bool operator==(RemovedProbesSettings const&, RemovedProbesSettings const&) = default;
};

// What /metrics has; docs/metrics.md says which series that is.
struct MetricsSettings {
  enum class Detail { standard, full };
  Detail detail = Detail::standard;
  friend bool operator==(MetricsSettings const&, MetricsSettings const&) = default;
};

// Where /metrics is pushed to, for places that nobody can scrape; docs/scale.md.
struct RemoteWriteSettings {
  std::optional<Url> url;               // none: nowhere
  std::string job = "canaryd";          // labels of every series
  std::optional<std::string> instance;  // none: the name of the machine
  milliseconds interval{15'000};
  milliseconds timeout{30'000};               // of one request
  std::uint64_t queue = 64ULL * 1024 * 1024;  // bytes that may wait, compressed
  HttpSettings http;
  friend bool operator==(RemoteWriteSettings const&, RemoteWriteSettings const&) = default;
};

struct Config {
  std::filesystem::path state_directory{"/var/lib/canaryd"};
  WebSettings web;
  LogSettings log;
  SchedulerSettings scheduler;
  WatchdogSettings watchdog;
  HistorySettings history;
  RemovedProbesSettings removed_probes;
  MetricsSettings metrics;
  std::vector<MaintenanceWindow> maintenance;
  RemoteWriteSettings remote_write;
  Shard shard;          // of the probes; those of others are not in `probes` after keep_shard()
  std::string vantage;  // the place that canaryd looks from; "" where it is not said
  int workers = 0;      // threads for hashing and large metadata; 0: one per CPU, at most 4
  std::vector<DiscoverySource> discovery;
  std::vector<ProbeSpec>
      defaults;                   // what the probes of lists start from, by kind; with `discovery`
  std::vector<ProbeSpec> probes;  // in the order of the files
  std::size_t elsewhere = 0;      // enabled probes that keep_shard() left to others
  std::vector<std::string> names_elsewhere;  // of all of those: nobody else may have them
  friend bool operator==(Config const&, Config const&) = default;
};

// Reads secrets' environment variables; tests give their own.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Loads `file` and the conf.d/*.yml that its `include:` patterns name (relative to the file, in
// order of name). Collects every problem instead of the first only. Blocks on file reads.
Result<Config, std::vector<Problem>> load(std::filesystem::path const& file,
                                          Environment const& environment, Kinds const& kinds);

// Leaves out the probes that other shards watch, and counts them.
void keep_shard(Config& config);

// Letters, digits, `_` `.` `:` and `-` alone.
bool is_name(std::string_view text);
// 1 to 100 of them, and not the name of a folder (`.`, `..`): files are called by it.
bool is_probe_name(std::string_view text);

// What is wrong with the name of a place; "" where nothing is.
std::string check_vantage(std::string const& name);

// The effective configuration as YAML, every default written out and secrets as "<secret>";
// load() accepts it again where it has no secrets.
std::string show(Config const& config);

}  // namespace canary::config

// SPDX-License-Identifier: Apache-2.0
// The whole configuration as one immutable, validated value, and how it is read from YAML.
// Thread: any; load() reads files and blocks.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/probe_spec.h"
#include "config/problem.h"
#include "config/result.h"

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

struct SchedulerSettings {
  int max_concurrent_runs = 64;
  int max_concurrent_runs_per_host = 8;
  milliseconds start_spread{60'000};  // first runs are spread over min(interval, this)
  milliseconds stop_timeout{10'000};  // how long running probes get to unwind at stop
  friend bool operator==(SchedulerSettings const&, SchedulerSettings const&) = default;
};

struct Config {
  std::filesystem::path state_directory{"/var/lib/canaryd"};
  WebSettings web;
  LogSettings log;
  SchedulerSettings scheduler;
  int workers = 0;  // threads for hashing and large metadata; 0: one per CPU, at most 4
  std::vector<ProbeSpec> probes;  // in the order of the files
  friend bool operator==(Config const&, Config const&) = default;
};

// Reads secrets' environment variables; tests give their own.
using Environment = std::map<std::string, std::string>;
Environment process_environment();

// Loads `file` and the conf.d/*.yml that its `include:` patterns name (relative to the file, in
// order of name). Collects every problem instead of the first only. Blocks on file reads.
Result<Config, std::vector<Problem>> load(std::filesystem::path const& file,
                                          Environment const& environment);

// The effective configuration as YAML, every default written out and secrets as "<secret>";
// load() accepts it again where it has no secrets.
std::string show(Config const& config);

}  // namespace canary::config

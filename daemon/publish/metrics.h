// SPDX-License-Identifier: Apache-2.0
// The page that Prometheus scrapes, its families as daemon/metrics declares them.
// Thread: any (pure).
// Source: Prometheus text exposition format 0.0.4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/history/recorder.h"
#include "daemon/publish/clients.h"
#include "daemon/publish/process.h"
#include "daemon/push/counts.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon {

// Requests answered by canaryd's own HTTP server.
struct HttpRequestCount {
  std::string_view handler;  // a closed set: "/metrics", "/api", "other"
  int code = 0;
  std::uint64_t count = 0;
};

struct MetricsInput {
  Snapshot const& snapshot;
  std::vector<HttpRequestCount> requests;
  std::vector<ClientCounts> clients;  // of the server, an address each
  ProcessFacts process;
  std::uint64_t log_lines_dropped = 0;
  std::optional<history::Recorder::Counts> history = std::nullopt;  // nothing where there is none
  std::optional<push::Counts> pushed = std::nullopt;                // likewise
  std::string pages = {};  // their URL for those outside; "": not known
  SysTime now{};
};

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// The whole page; families in a fixed order, series in the order of the configuration.
std::string render_metrics(MetricsInput const& input);

}  // namespace canary::daemon

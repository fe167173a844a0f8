// SPDX-License-Identifier: Apache-2.0
// The metrics of the process and of its configuration.
// Thread: none (constants).
#pragma once

#include "daemon/metrics/metric.h"

namespace canary::metrics {

inline constexpr std::array kOfDaemon = std::to_array<Metric>({
    {"canaryd_build_info",
     Type::gauge,
     "Always 1; what was built, and by which compiler.",
     {"version", "revision", "compiler"},
     Emergency::copied},
    {"canaryd_time_seconds",
     Type::gauge,
     "The wall clock of canaryd's machine.",
     {},
     Emergency::written},
    {"canaryd_config_last_reload_successful", Type::gauge,
     "Whether the last attempt to load the configuration succeeded."},
    {"canaryd_config_last_reload_success_timestamp_seconds", Type::gauge,
     "When the configuration in use was loaded."},
    {"canaryd_web_info",
     Type::gauge,
     "Always 1; where canaryd's pages are for those outside: --web.external-url.",
     {"url"}},
    {"canaryd_config_probes", Type::gauge, "Enabled probes in the configuration in use."},
    {"canaryd_config_probes_elsewhere", Type::gauge,
     "Enabled probes that are left to other shards."},
    {"canaryd_shards",
     Type::gauge,
     "Number of shards that the probes are divided among; by the index of this one, from 0 on, and "
     "the place that it looks from.",
     {"shard", "vantage"}},
    {"canaryd_schedule_lag_seconds", Type::histogram,
     "How late runs started, against their schedule."},
    {"canaryd_http_requests_total",
     Type::counter,
     "Requests to canaryd's own HTTP server.",
     {"handler", "code"}},
    {"canaryd_http_connections",
     Type::gauge,
     "Clients of canaryd's own HTTP server now.",
     {"address"}},
    {"canaryd_http_connections_max",
     Type::gauge,
     "As many clients as the address takes.",
     {"address"}},
    {"canaryd_http_connections_cut_total",
     Type::counter,
     "Clients that were cut: idle ones that made room, ones that had closed their end (gone).",
     {"address", "reason"}},
    {"canaryd_http_connections_refused_total",
     Type::counter,
     "Clients that were told that the server is full.",
     {"address"}},
    {"canaryd_log_lines_dropped_total", Type::counter,
     "Log lines lost because their reader is too slow."},
    {"canaryd_history_works", Type::gauge, "Whether the history was written the last time."},
    {"canaryd_history_entries_written_total", Type::counter, "Entries that the history took."},
    {"canaryd_history_entries_dropped_total", Type::counter,
     "Entries that are not in the history: its disk could not follow."},
    {"canaryd_history_entries_waiting", Type::gauge, "Entries that are still to be written."},
    {"canaryd_remote_write_samples_total", Type::counter,
     "Samples that the receiver of remote_write.url took; there, like the next ones, where it is "
     "configured."},
    {"canaryd_remote_write_samples_dropped_total",
     Type::counter,
     "Samples that it will never have: the queue was full (overflow), or it would not take them "
     "(refused).",
     {"reason"}},
    {"canaryd_remote_write_failed_requests_total", Type::counter,
     "Requests that were not answered with success."},
    {"canaryd_remote_write_waiting_samples", Type::gauge, "Samples that are still to be sent."},
    {"canaryd_remote_write_waiting_bytes", Type::gauge, "Their size, compressed."},
    {"canaryd_remote_write_oldest_timestamp_seconds", Type::gauge,
     "When the oldest of them was taken; absent while none waits."},
});

inline constexpr std::array kOfProcess = std::to_array<Metric>({
    {"process_cpu_seconds_total", Type::counter, "User and system CPU time."},
    {"process_start_time_seconds", Type::gauge, "When the process started.", {}, Emergency::copied},
    {"process_resident_memory_bytes", Type::gauge, "Resident memory."},
    {"process_virtual_memory_bytes", Type::gauge, "Virtual memory."},
    {"process_open_fds", Type::gauge, "Open file descriptors."},
    {"process_max_fds", Type::gauge, "Limit of open file descriptors."},
    {"process_threads", Type::gauge, "Threads of the process."},
});

}  // namespace canary::metrics

// SPDX-License-Identifier: Apache-2.0
// Every metric family of the page.
#include "daemon/publish/metrics.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "daemon/metrics/table.h"
#include "daemon/publish/exposition.h"

namespace canary::daemon {
namespace {

constexpr std::size_t kDelegatedRoleSeries = 64;  // of one probe

using metrics::Metric;
using metrics::metric;

double seconds(SysTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}
double seconds(std::chrono::nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}
std::optional<double> seconds(std::optional<SysTime> const& time) {
  return time ? std::optional{seconds(*time)} : std::nullopt;
}

class Page {
 public:
  explicit Page(MetricsInput const& input) : input_(input) {
    for (ProbeRow const* row : input.snapshot.probes) {
      if (row->facts.enabled) enabled_.push_back(row);
    }
  }
  std::string render() {
    daemon();
    configured_probes();
    runs();
    last_runs();
    findings();
    measurements();
    roles();
    process();
    return std::move(out_);
  }

 private:
  Family family(Metric const& metric) { return {out_, metric}; }

  // One series per enabled probe. A paused one has none: its old results are no news, and no alert
  // about its age must fire.
  template <class Value>
  void per_probe(Family family, Value const& value) {
    for (ProbeRow const* row : enabled_) family.add({row->facts.name}, value(*row));
  }

  void daemon();
  void clients();
  void configured_probes();
  void runs();
  void last_runs();
  void findings();
  void measurements();
  void roles();
  void process();

  MetricsInput const& input_;
  std::vector<ProbeRow const*> enabled_;
  std::string out_;
};

void Page::daemon() {
  DaemonFacts const& facts = *input_.snapshot.daemon;
  family(metric("canaryd_build_info")).add({facts.version, facts.revision, __VERSION__}, 1.0);
  family(metric("canaryd_time_seconds")).add({}, seconds(input_.now));
  family(metric("canaryd_config_last_reload_successful"))
      .add({}, facts.reload_successful ? 1.0 : 0.0);
  family(metric("canaryd_config_last_reload_success_timestamp_seconds"))
      .add({}, seconds(facts.last_reload_success));
  family(metric("canaryd_config_probes")).add({}, static_cast<double>(enabled_.size()));
  family(metric("canaryd_schedule_lag_seconds")).add({}, input_.snapshot.schedule_lag);
  auto requests = family(metric("canaryd_http_requests_total"));
  for (auto const& request : input_.requests) {
    requests.add({request.handler, std::to_string(request.code)},
                 static_cast<double>(request.count));
  }
  clients();
  family(metric("canaryd_log_lines_dropped_total"))
      .add({}, static_cast<double>(input_.log_lines_dropped));
}

void Page::clients() {
  auto connected = family(metric("canaryd_http_connections"));
  auto most = family(metric("canaryd_http_connections_max"));
  auto cut = family(metric("canaryd_http_connections_cut_total"));
  auto refused = family(metric("canaryd_http_connections_refused_total"));
  for (auto const& each : input_.clients) {
    connected.add({each.address}, static_cast<double>(each.connected));
    most.add({each.address}, static_cast<double>(each.most));
    cut.add({each.address, "room"}, static_cast<double>(each.cut_for_room));
    cut.add({each.address, "gone"}, static_cast<double>(each.cut_gone));
    refused.add({each.address}, static_cast<double>(each.refused));
  }
}

void Page::configured_probes() {
  {
    auto info = family(metric("canaryd_probe_info"));
    for (ProbeRow const* row : input_.snapshot.probes) {
      info.add({row->facts.name, row->facts.kind, row->facts.repository}, 1.0);
    }
  }
  {
    auto enabled = family(metric("canaryd_probe_enabled"));
    for (ProbeRow const* row : input_.snapshot.probes) {
      enabled.add({row->facts.name}, row->facts.enabled ? 1.0 : 0.0);
    }
  }
  per_probe(family(metric("canaryd_probe_interval_seconds")),
            [](ProbeRow const& row) { return seconds(row.facts.interval); });
  per_probe(family(metric("canaryd_probe_timeout_seconds")),
            [](ProbeRow const& row) { return seconds(row.facts.timeout); });
}

void Page::runs() {
  per_probe(family(metric("canaryd_probe_runs_total")),
            [](ProbeRow const& row) { return static_cast<double>(row.runs); });
  {
    auto failures = family(metric("canaryd_probe_failures_total"));
    for (ProbeRow const* row : enabled_) {
      for (auto const reason : probes::all_reasons()) {
        failures.add({row->facts.name, to_text(reason)},
                     static_cast<double>(row->failures[static_cast<std::size_t>(reason)]));
      }
    }
  }
  {
    auto skipped = family(metric("canaryd_probe_runs_skipped_total"));
    for (ProbeRow const* row : enabled_) {
      for (std::size_t i = 0; i < kSkipReasons; ++i) {
        auto const reason = to_text(static_cast<SkipReason>(i));
        skipped.add({row->facts.name, reason}, static_cast<double>(row->skipped[i]));
      }
    }
  }
  per_probe(family(metric("canaryd_probe_stalls_total")),
            [](ProbeRow const& row) { return static_cast<double>(row.stalls); });
  per_probe(family(metric("canaryd_probe_duration_seconds")),
            [](ProbeRow const& row) -> Histogram const& { return row.durations; });
  per_probe(family(metric("canaryd_probe_in_flight")),
            [](ProbeRow const& row) { return row.in_flight_since ? 1.0 : 0.0; });
  per_probe(family(metric("canaryd_probe_in_flight_start_timestamp_seconds")),
            [](ProbeRow const& row) { return seconds(row.in_flight_since); });
  per_probe(family(metric("canaryd_probe_next_run_timestamp_seconds")),
            [](ProbeRow const& row) { return seconds(row.next_run); });
}

void Page::last_runs() {
  per_probe(family(metric("canaryd_probe_success")),
            [](ProbeRow const& row) -> std::optional<double> {
              auto const success = row.success();
              return success ? std::optional{*success ? 1.0 : 0.0} : std::nullopt;
            });
  per_probe(family(metric("canaryd_probe_last_duration_seconds")),
            [](ProbeRow const& row) -> std::optional<double> {
              return row.runs > 0 ? std::optional{seconds(row.last_duration)} : std::nullopt;
            });
  per_probe(family(metric("canaryd_probe_last_run_timestamp_seconds")),
            [](ProbeRow const& row) { return seconds(row.last_run_end); });
  per_probe(family(metric("canaryd_probe_last_success_timestamp_seconds")),
            [](ProbeRow const& row) { return seconds(row.last_success); });
  per_probe(family(metric("canaryd_probe_consecutive_failures")),
            [](ProbeRow const& row) { return static_cast<double>(row.consecutive_failures); });
  auto failure = family(metric("canaryd_probe_last_failure_info"));
  for (ProbeRow const* row : enabled_) {
    if (!row->last_failure) continue;
    failure.add({row->facts.name, to_text(row->last_failure_reason)}, 1.0);
  }
}

void Page::findings() {
  auto severity = family(metric("canaryd_probe_finding_severity"));
  for (ProbeRow const* row : enabled_) {
    if (!row->last_report) continue;
    std::map<std::string, probes::Severity> worst;
    for (auto const& finding : row->last_report->findings) {
      auto const [entry, added] = worst.emplace(finding.check, finding.counted());
      if (!added) entry->second = probes::worse(entry->second, finding.counted());
    }
    for (auto const& [check, value] : worst) {
      severity.add({row->facts.name, check}, static_cast<double>(value));
    }
  }
  auto accepted = family(metric("canaryd_probe_findings_accepted"));
  for (ProbeRow const* row : enabled_) {
    if (!row->last_report) continue;
    std::map<std::string, std::size_t> counts;
    for (auto const& finding : row->last_report->findings) {
      counts[finding.check] += finding.accepted ? 1 : 0;
    }
    for (auto const& [check, count] : counts) {
      accepted.add({row->facts.name, check}, static_cast<double>(count));
    }
  }
}

void Page::measurements() {
  using probes::PhaseTimes;
  constexpr std::array<std::pair<std::string_view, std::chrono::nanoseconds PhaseTimes::*>, 8>
      kPhases{{{"queue", &PhaseTimes::queue},
               {"dns", &PhaseTimes::resolve},
               {"connect", &PhaseTimes::connect},
               {"tls", &PhaseTimes::tls},
               {"request", &PhaseTimes::request},
               {"first_byte", &PhaseTimes::first_byte},
               {"body", &PhaseTimes::body},
               {"verify", &PhaseTimes::verify}}};
  {
    auto phases = family(metric("canaryd_probe_phase_duration_seconds"));
    for (ProbeRow const* row : enabled_) {
      if (!row->last_report) continue;
      for (auto const& [phase, member] : kPhases) {
        phases.add({row->facts.name, phase},
                   seconds(row->last_report->measurements.phases.*member));
      }
    }
  }
  per_probe(family(metric("canaryd_probe_received_bytes_total")),
            [](ProbeRow const& row) { return static_cast<double>(row.bytes_received); });
  per_probe(family(metric("canaryd_probe_requests_total")),
            [](ProbeRow const& row) { return static_cast<double>(row.requests); });
  per_probe(family(metric("canaryd_probe_retries_total")),
            [](ProbeRow const& row) { return static_cast<double>(row.retries); });
  per_probe(family(metric("canaryd_tls_cert_not_after_timestamp_seconds")),
            [](ProbeRow const& row) {
              return seconds(std::optional<SysTime>{row.known->tls_not_after});
            });
  per_probe(family(metric("canaryd_tls_cert_seen_timestamp_seconds")),
            [](ProbeRow const& row) -> std::optional<double> {
              if (!row.known->tls_not_after) return std::nullopt;
              return seconds(row.known->tls_seen);
            });
  auto targets = family(metric("canaryd_tuf_targets"));
  for (ProbeRow const* row : enabled_) {
    if (!row->last_report) continue;
    auto const& found = row->last_report->measurements;
    targets.add({row->facts.name, "verified"}, static_cast<double>(found.targets_verified));
    targets.add({row->facts.name, "failed"}, static_cast<double>(found.targets_failed));
    targets.add({row->facts.name, "unknown"}, static_cast<double>(found.targets_unknown));
  }
}

// ---- roles: their names come from the repository, so their number is bounded --------------------

bool is_top_level(std::string_view role) {
  return role == "root" || role == "timestamp" || role == "snapshot" || role == "targets";
}

struct RoleSeries {
  ProbeRow const* row;
  std::string name;
  KnownRole const* known;
};

// The top-level roles and the delegated ones that expire first, each name once.
void append_roles(std::vector<RoleSeries>& out, ProbeRow const& row) {
  std::vector<KnownRole const*> top, delegated;
  for (auto const& role : row.known->roles) {
    (is_top_level(role.facts.role) ? top : delegated).push_back(&role);
  }
  std::ranges::sort(delegated, [](auto const* a, auto const* b) {
    return std::tie(a->facts.expires, a->facts.role) < std::tie(b->facts.expires, b->facts.role);
  });
  std::set<std::string> seen;
  std::size_t delegated_left = kDelegatedRoleSeries;
  top.insert(top.end(), delegated.begin(), delegated.end());
  for (auto const* role : top) {
    std::string const& name = role->facts.role.text();
    bool const counts = !is_top_level(name);
    if (counts && delegated_left == 0) break;
    if (!seen.insert(name).second) continue;
    if (counts) --delegated_left;
    out.push_back({&row, name, role});
  }
}

void Page::roles() {
  std::vector<RoleSeries> series;
  for (ProbeRow const* row : enabled_) append_roles(series, *row);
  auto const each = [&](Family family, auto const& value) {
    for (auto const& role : series) {
      family.add({role.row->facts.name, role.row->facts.repository, role.name},
                 static_cast<double>(value(role.known->facts)));
    }
  };
  using probes::RoleFacts;
  each(family(metric("canaryd_tuf_metadata_expiry_timestamp_seconds")),
       [](RoleFacts const& role) { return role.expires.time_since_epoch().count(); });
  each(family(metric("canaryd_tuf_metadata_version")),
       [](RoleFacts const& role) { return role.version; });
  each(family(metric("canaryd_tuf_metadata_expiry_warning_seconds")),
       [](RoleFacts const& role) { return role.warning.count(); });
  each(family(metric("canaryd_tuf_metadata_expiry_critical_seconds")),
       [](RoleFacts const& role) { return role.critical.count(); });
  each(family(metric("canaryd_tuf_metadata_size_bytes")),
       [](RoleFacts const& role) { return role.size; });
  auto seen = family(metric("canaryd_tuf_metadata_seen_timestamp_seconds"));
  for (auto const& role : series) {
    seen.add({role.row->facts.name, role.row->facts.repository, role.name},
             seconds(role.known->seen));
  }
  per_probe(family(metric("canaryd_tuf_roles")), [](ProbeRow const& row) -> std::optional<double> {
    if (!row.last_report) return std::nullopt;
    return static_cast<double>(row.last_report->measurements.roles.size());
  });
}

void Page::process() {
  auto const& facts = input_.process;
  auto const number = [](std::optional<std::uint64_t> const& value) {
    return value ? std::optional{static_cast<double>(*value)} : std::nullopt;
  };
  family(metric("process_cpu_seconds_total")).add({}, facts.cpu_seconds);
  family(metric("process_start_time_seconds")).add({}, facts.start_time);
  family(metric("process_resident_memory_bytes")).add({}, number(facts.resident_bytes));
  family(metric("process_virtual_memory_bytes")).add({}, number(facts.virtual_bytes));
  family(metric("process_open_fds")).add({}, number(facts.open_fds));
  family(metric("process_max_fds")).add({}, number(facts.max_fds));
  family(metric("process_threads")).add({}, number(facts.threads));
}

}  // namespace

std::string render_metrics(MetricsInput const& input) { return Page{input}.render(); }

}  // namespace canary::daemon

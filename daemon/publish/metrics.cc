// SPDX-License-Identifier: Apache-2.0
// Every metric family of the page.
#include "daemon/publish/metrics.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "daemon/publish/exposition.h"
#include "daemon/text/escape.h"

namespace canary::daemon {
namespace {

constexpr std::size_t kDelegatedRoleSeries = 64;  // of one probe
constexpr std::size_t kLongestLabel = 128;        // bytes

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
  Family gauge(std::string name, std::string help) {
    return {out_, FamilyType::gauge, std::move(name), std::move(help)};
  }
  Family counter(std::string name, std::string help) {
    return {out_, FamilyType::counter, std::move(name), std::move(help)};
  }
  Family histogram(std::string name, std::string help) {
    return {out_, FamilyType::histogram, std::move(name), std::move(help)};
  }
  static Labels probe(ProbeRow const& row) { return {{"probe", row.facts.name}}; }

  // One series per enabled probe. A paused one has none: its old results are no news, and no alert
  // about its age must fire.
  template <class Value>
  void per_probe(Family family, Value const& value) {
    for (ProbeRow const* row : enabled_) family.add(probe(*row), value(*row));
  }

  void daemon();
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
  gauge("canaryd_build_info", "Always 1; what was built, and by which compiler.")
      .add({{"version", facts.version}, {"revision", facts.revision}, {"compiler", __VERSION__}},
           1.0);
  gauge("canaryd_time_seconds", "The wall clock of canaryd's machine.")
      .add({}, seconds(input_.now));
  gauge("canaryd_config_last_reload_successful",
        "Whether the last attempt to load the configuration succeeded.")
      .add({}, facts.reload_successful ? 1.0 : 0.0);
  gauge("canaryd_config_last_reload_success_timestamp_seconds",
        "When the configuration in use was loaded.")
      .add({}, seconds(facts.last_reload_success));
  gauge("canaryd_config_probes", "Enabled probes in the configuration in use.")
      .add({}, static_cast<double>(enabled_.size()));
  histogram("canaryd_schedule_lag_seconds", "How late runs started, against their schedule.")
      .add({}, input_.snapshot.schedule_lag);
  auto requests = counter("canaryd_http_requests_total", "Requests to canaryd's own HTTP server.");
  for (auto const& request : input_.requests) {
    requests.add(
        {{"handler", std::string{request.handler}}, {"code", std::to_string(request.code)}},
        static_cast<double>(request.count));
  }
  counter("canaryd_log_lines_dropped_total", "Log lines lost because their reader is too slow.")
      .add({}, static_cast<double>(input_.log_lines_dropped));
}

void Page::configured_probes() {
  {
    auto info = gauge("canaryd_probe_info", "Always 1; what a probe watches.");
    for (ProbeRow const* row : input_.snapshot.probes) {
      info.add(
          {{"probe", row->facts.name}, {"kind", row->facts.kind}, {"repo", row->facts.repository}},
          1.0);
    }
  }
  {
    auto enabled = gauge("canaryd_probe_enabled", "0 for a probe that the configuration pauses.");
    for (ProbeRow const* row : input_.snapshot.probes) {
      enabled.add(probe(*row), row->facts.enabled ? 1.0 : 0.0);
    }
  }
  per_probe(gauge("canaryd_probe_interval_seconds", "Time between the starts of two runs."),
            [](ProbeRow const& row) { return seconds(row.facts.interval); });
  per_probe(gauge("canaryd_probe_timeout_seconds", "Deadline of a whole run."),
            [](ProbeRow const& row) { return seconds(row.facts.timeout); });
}

void Page::runs() {
  per_probe(counter("canaryd_probe_runs_total", "Runs that ended with a result."),
            [](ProbeRow const& row) { return static_cast<double>(row.runs); });
  {
    auto failures = counter("canaryd_probe_failures_total",
                            "Runs that were critical or could not tell, by their main reason.");
    for (ProbeRow const* row : enabled_) {
      for (auto const reason : probes::all_reasons()) {
        failures.add({{"probe", row->facts.name}, {"reason", std::string{to_text(reason)}}},
                     static_cast<double>(row->failures[static_cast<std::size_t>(reason)]));
      }
    }
  }
  {
    auto skipped = counter("canaryd_probe_runs_skipped_total", "Due runs that did not start.");
    for (ProbeRow const* row : enabled_) {
      for (std::size_t i = 0; i < kSkipReasons; ++i) {
        auto const reason = to_text(static_cast<SkipReason>(i));
        skipped.add({{"probe", row->facts.name}, {"reason", std::string{reason}}},
                    static_cast<double>(row->skipped[i]));
      }
    }
  }
  per_probe(counter("canaryd_probe_stalls_total",
                    "Runs that the watchdog cancelled, for they made no progress."),
            [](ProbeRow const& row) { return static_cast<double>(row.stalls); });
  per_probe(histogram("canaryd_probe_duration_seconds", "How long runs took that ended."),
            [](ProbeRow const& row) -> Histogram const& { return row.durations; });
  per_probe(gauge("canaryd_probe_in_flight", "1 while a run is going on."),
            [](ProbeRow const& row) { return row.in_flight_since ? 1.0 : 0.0; });
  per_probe(gauge("canaryd_probe_in_flight_start_timestamp_seconds",
                  "When the run that is going on started."),
            [](ProbeRow const& row) { return seconds(row.in_flight_since); });
  per_probe(gauge("canaryd_probe_next_run_timestamp_seconds", "When the next run is due."),
            [](ProbeRow const& row) { return seconds(row.next_run); });
}

void Page::last_runs() {
  per_probe(gauge("canaryd_probe_success",
                  "1 when the last run was ok or a warning, 0 when critical or unable to tell; "
                  "absent until the first run."),
            [](ProbeRow const& row) -> std::optional<double> {
              auto const success = row.success();
              return success ? std::optional{*success ? 1.0 : 0.0} : std::nullopt;
            });
  per_probe(gauge("canaryd_probe_last_duration_seconds", "How long the last run took."),
            [](ProbeRow const& row) -> std::optional<double> {
              return row.runs > 0 ? std::optional{seconds(row.last_duration)} : std::nullopt;
            });
  per_probe(gauge("canaryd_probe_last_run_timestamp_seconds", "When the last run ended."),
            [](ProbeRow const& row) { return seconds(row.last_run_end); });
  per_probe(gauge("canaryd_probe_last_success_timestamp_seconds",
                  "When the last run ended that was ok or a warning."),
            [](ProbeRow const& row) { return seconds(row.last_success); });
  per_probe(gauge("canaryd_probe_consecutive_failures", "Failed runs since the last success."),
            [](ProbeRow const& row) { return static_cast<double>(row.consecutive_failures); });
  auto failure = gauge("canaryd_probe_last_failure_info",
                       "Always 1; the main reason of the last failed run, however old.");
  for (ProbeRow const* row : enabled_) {
    if (!row->last_failure) continue;
    failure.add(
        {{"probe", row->facts.name}, {"reason", std::string{to_text(row->last_failure_reason)}}},
        1.0);
  }
}

void Page::findings() {
  auto severity = gauge("canaryd_probe_finding_severity",
                        "Worst finding of a check in the last run: 0 ok, 1 warning, 2 critical, "
                        "3 could not tell.");
  for (ProbeRow const* row : enabled_) {
    if (!row->last_report) continue;
    std::map<std::string, probes::Severity> worst;
    for (auto const& finding : row->last_report->findings) {
      auto const [entry, added] = worst.emplace(finding.check, finding.severity);
      if (!added) entry->second = probes::worse(entry->second, finding.severity);
    }
    for (auto const& [check, value] : worst) {
      severity.add({{"probe", row->facts.name}, {"check", check}}, static_cast<double>(value));
    }
  }
}

void Page::measurements() {
  using probes::PhaseTimes;
  constexpr std::array<std::pair<char const*, std::chrono::nanoseconds PhaseTimes::*>, 8> kPhases{
      {{"queue", &PhaseTimes::queue},
       {"dns", &PhaseTimes::resolve},
       {"connect", &PhaseTimes::connect},
       {"tls", &PhaseTimes::tls},
       {"request", &PhaseTimes::request},
       {"first_byte", &PhaseTimes::first_byte},
       {"body", &PhaseTimes::body},
       {"verify", &PhaseTimes::verify}}};
  {
    auto phases = gauge("canaryd_probe_phase_duration_seconds",
                        "Where the time of the last run's requests went.");
    for (ProbeRow const* row : enabled_) {
      if (!row->last_report) continue;
      for (auto const& [phase, member] : kPhases) {
        phases.add({{"probe", row->facts.name}, {"phase", phase}},
                   seconds(row->last_report->measurements.phases.*member));
      }
    }
  }
  per_probe(counter("canaryd_probe_received_bytes_total", "Bytes of bodies that runs received."),
            [](ProbeRow const& row) { return static_cast<double>(row.bytes_received); });
  per_probe(counter("canaryd_probe_requests_total", "Requests that runs sent, retries included."),
            [](ProbeRow const& row) { return static_cast<double>(row.requests); });
  per_probe(counter("canaryd_probe_retries_total", "Requests that runs sent again."),
            [](ProbeRow const& row) { return static_cast<double>(row.retries); });
  per_probe(gauge("canaryd_tls_cert_not_after_timestamp_seconds",
                  "Earliest end of validity among the certificates seen by the last run."),
            [](ProbeRow const& row) -> std::optional<double> {
              if (!row.last_report) return std::nullopt;
              return seconds(std::optional<SysTime>{row.last_report->measurements.tls_not_after});
            });
  auto targets = gauge("canaryd_tuf_targets", "Targets that the last run checked, by outcome.");
  for (ProbeRow const* row : enabled_) {
    if (!row->last_report) continue;
    auto const& found = row->last_report->measurements;
    targets.add({{"probe", row->facts.name}, {"outcome", "verified"}},
                static_cast<double>(found.targets_verified));
    targets.add({{"probe", row->facts.name}, {"outcome", "failed"}},
                static_cast<double>(found.targets_failed));
    targets.add({{"probe", row->facts.name}, {"outcome", "unknown"}},
                static_cast<double>(found.targets_unknown));
  }
}

// ---- roles: their names come from the repository, so their number is bounded --------------------

bool is_top_level(std::string_view role) {
  return role == "root" || role == "timestamp" || role == "snapshot" || role == "targets";
}

struct RoleSeries {
  Labels labels;
  probes::RoleFacts const* facts;
};

// The top-level roles and the delegated ones that expire first, each name once.
void append_roles(std::vector<RoleSeries>& out, ProbeRow const& row) {
  std::vector<probes::RoleFacts const*> top, delegated;
  for (auto const& role : row.last_report->measurements.roles) {
    (is_top_level(role.role) ? top : delegated).push_back(&role);
  }
  std::ranges::sort(delegated, [](auto const* a, auto const* b) {
    return std::pair{a->expires, a->role} < std::pair{b->expires, b->role};
  });
  std::set<std::string> seen;
  std::size_t delegated_left = kDelegatedRoleSeries;
  top.insert(top.end(), delegated.begin(), delegated.end());
  for (auto const* role : top) {
    bool const counts = !is_top_level(role->role);
    if (counts && delegated_left == 0) break;
    std::string name = valid_utf8(std::string_view{role->role}.substr(0, kLongestLabel));
    if (!seen.insert(name).second) continue;
    if (counts) --delegated_left;
    out.push_back(
        {{{"probe", row.facts.name}, {"repo", row.facts.repository}, {"role", name}}, role});
  }
}

void Page::roles() {
  std::vector<RoleSeries> series;
  for (ProbeRow const* row : enabled_) {
    if (row->last_report) append_roles(series, *row);
  }
  auto const each = [&](Family family, auto const& value) {
    for (auto const& role : series)
      family.add(role.labels, static_cast<double>(value(*role.facts)));
  };
  using probes::RoleFacts;
  each(gauge("canaryd_tuf_metadata_expiry_timestamp_seconds", "When a role's metadata expires."),
       [](RoleFacts const& role) { return role.expires.time_since_epoch().count(); });
  each(gauge("canaryd_tuf_metadata_version", "Version of a role's metadata."),
       [](RoleFacts const& role) { return role.version; });
  each(gauge("canaryd_tuf_metadata_expiry_warning_seconds",
             "Remaining validity below which a role's expiry is a warning."),
       [](RoleFacts const& role) { return role.warning.count(); });
  each(gauge("canaryd_tuf_metadata_expiry_critical_seconds",
             "Remaining validity below which a role's expiry is critical."),
       [](RoleFacts const& role) { return role.critical.count(); });
  each(gauge("canaryd_tuf_metadata_size_bytes", "Size of a role's metadata file."),
       [](RoleFacts const& role) { return role.size; });
  per_probe(gauge("canaryd_tuf_roles",
                  "Roles seen by the last run; of delegated ones only the 64 that expire first "
                  "have series of their own."),
            [](ProbeRow const& row) -> std::optional<double> {
              if (!row.last_report) return std::nullopt;
              return static_cast<double>(row.last_report->measurements.roles.size());
            });
}

void Page::process() {
  auto const& facts = input_.process;
  auto const number = [](std::optional<std::uint64_t> const& value) {
    return value ? std::optional{static_cast<double>(*value)} : std::nullopt;
  };
  counter("process_cpu_seconds_total", "User and system CPU time.").add({}, facts.cpu_seconds);
  gauge("process_start_time_seconds", "When the process started.").add({}, facts.start_time);
  gauge("process_resident_memory_bytes", "Resident memory.").add({}, number(facts.resident_bytes));
  gauge("process_virtual_memory_bytes", "Virtual memory.").add({}, number(facts.virtual_bytes));
  gauge("process_open_fds", "Open file descriptors.").add({}, number(facts.open_fds));
  gauge("process_max_fds", "Limit of open file descriptors.").add({}, number(facts.max_fds));
  gauge("process_threads", "Threads of the process.").add({}, number(facts.threads));
}

}  // namespace

std::string render_metrics(MetricsInput const& input) { return Page{input}.render(); }

}  // namespace canary::daemon

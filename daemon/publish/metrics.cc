// SPDX-License-Identifier: Apache-2.0
// Every metric family of the page.
#include "daemon/publish/metrics.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "daemon/metrics/table.h"
#include "daemon/publish/exposition.h"
#include "daemon/publish/kind_metrics.h"
#include "daemon/results/known.h"
#include "daemon/results/maintenance.h"

namespace canary::daemon {
namespace {

constexpr std::size_t kSeriesOfMany = 64;  // of one probe

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
  explicit Page(MetricsInput const& input)
      : input_(input), full_(input.snapshot.daemon->full_metrics) {
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
    deadlines();
    kinds();
    process();
    return std::move(out_);
  }

 private:
  Family family(Metric const& metric) {
    bool const of_vantage = metric.shown == metrics::Shown::in_vantage;
    return {out_, metric, of_vantage ? !input_.snapshot.daemon->vantage.empty() : full_};
  }

  // One series per enabled probe. A paused one has none: its old results are no news, and no alert
  // about its age must fire.
  template <class Value>
  void per_probe(Family family, Value const& value) {
    for (ProbeRow const* row : enabled_) family.add({row->facts.name}, value(*row));
  }

  void daemon();
  void clients();
  void sources();
  void history();
  void remote_write();
  void configured_probes();
  void runs();
  void last_runs();
  void findings();
  void measurements();
  void deadlines();
  void kinds();
  void things(probes::Declaration const& kind, probes::ThingType const& type);
  void samples(probes::Declaration const& kind, probes::SampleFamily const& family);
  void process();

  MetricsInput const& input_;
  bool full_;  // metrics.detail
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
  if (!input_.pages.empty()) family(metric("canaryd_web_info")).add({input_.pages}, 1.0);
  family(metric("canaryd_config_probes")).add({}, static_cast<double>(enabled_.size()));
  family(metric("canaryd_config_probes_elsewhere")).add({}, static_cast<double>(facts.elsewhere));
  family(metric("canaryd_shards"))
      .add({std::to_string(facts.shard.index), facts.vantage.text()},
           static_cast<double>(facts.shard.count));
  sources();
  family(metric("canaryd_schedule_lag_seconds")).add({}, input_.snapshot.schedule_lag);
  auto requests = family(metric("canaryd_http_requests_total"));
  for (auto const& request : input_.requests) {
    requests.add({request.handler, std::to_string(request.code)},
                 static_cast<double>(request.count));
  }
  clients();
  family(metric("canaryd_log_lines_dropped_total"))
      .add({}, static_cast<double>(input_.log_lines_dropped));
  history();
  remote_write();
}

// Of probes.
void Page::sources() {
  auto const& sources = input_.snapshot.daemon->sources;
  auto const each = [&](Metric const& declared, auto const& value) {
    auto out = family(declared);
    for (auto const& source : sources) out.add({source.name}, value(source));
  };
  auto const looked = [](SourceFacts const& source) -> std::optional<double> {
    if (!source.looked) return std::nullopt;
    return source.successful ? 1.0 : 0.0;
  };
  each(metric("canaryd_discovery_successful"), looked);
  each(metric("canaryd_discovery_confirmed_timestamp_seconds"),
       [](SourceFacts const& source) { return seconds(source.confirmed); });
  each(metric("canaryd_discovery_refresh_seconds"),
       [](SourceFacts const& source) { return seconds(source.refresh); });
  each(metric("canaryd_discovery_probes"),
       [](SourceFacts const& source) { return static_cast<double>(source.probes); });
}

void Page::remote_write() {
  if (!input_.pushed) return;
  push::Counts const& counts = *input_.pushed;
  family(metric("canaryd_remote_write_samples_total")).add({}, static_cast<double>(counts.sent));
  {
    auto dropped = family(metric("canaryd_remote_write_samples_dropped_total"));
    dropped.add({"overflow"}, static_cast<double>(counts.overflow));
    dropped.add({"refused"}, static_cast<double>(counts.refused));
  }
  family(metric("canaryd_remote_write_failed_requests_total"))
      .add({}, static_cast<double>(counts.failed));
  family(metric("canaryd_remote_write_waiting_samples"))
      .add({}, static_cast<double>(counts.waiting));
  family(metric("canaryd_remote_write_waiting_bytes")).add({}, static_cast<double>(counts.bytes));
  family(metric("canaryd_remote_write_oldest_timestamp_seconds")).add({}, seconds(counts.oldest));
}

void Page::history() {
  auto works = family(metric("canaryd_history_works"));
  auto written = family(metric("canaryd_history_entries_written_total"));
  auto dropped = family(metric("canaryd_history_entries_dropped_total"));
  auto waiting = family(metric("canaryd_history_entries_waiting"));
  if (!input_.history) return;
  works.add({}, input_.history->works ? 1.0 : 0.0);
  written.add({}, static_cast<double>(input_.history->written));
  dropped.add({}, static_cast<double>(input_.history->dropped));
  waiting.add({}, static_cast<double>(input_.history->waiting));
}

// One family after the other: its samples stand together, however many addresses there are.
void Page::clients() {
  {
    auto connected = family(metric("canaryd_http_connections"));
    for (auto const& each : input_.clients) {
      connected.add({each.address}, static_cast<double>(each.connected));
    }
  }
  {
    auto most = family(metric("canaryd_http_connections_max"));
    for (auto const& each : input_.clients) {
      most.add({each.address}, static_cast<double>(each.most));
    }
  }
  {
    auto cut = family(metric("canaryd_http_connections_cut_total"));
    for (auto const& each : input_.clients) {
      cut.add({each.address, "room"}, static_cast<double>(each.cut_for_room));
      cut.add({each.address, "gone"}, static_cast<double>(each.cut_gone));
    }
  }
  auto refused = family(metric("canaryd_http_connections_refused_total"));
  for (auto const& each : input_.clients) {
    refused.add({each.address}, static_cast<double>(each.refused));
  }
}

void Page::configured_probes() {
  {
    auto info = family(metric("canaryd_probe_info"));
    for (ProbeRow const* row : input_.snapshot.probes) {
      auto const& facts = row->facts;
      info.add({facts.name, facts.kind->kind, facts.repository, facts.host, facts.url.text()}, 1.0);
    }
  }
  {
    auto enabled = family(metric("canaryd_probe_enabled"));
    for (ProbeRow const* row : input_.snapshot.probes) {
      if (row->facts.enabled && !full_) continue;
      enabled.add({row->facts.name}, row->facts.enabled ? 1.0 : 0.0);
    }
  }
  per_probe(family(metric("canaryd_probe_maintenance")),
            [this](ProbeRow const& row) { return maintenance_of(row, input_.now) ? 1.0 : 0.0; });
  per_probe(family(metric("canaryd_probe_interval_seconds")),
            [](ProbeRow const& row) { return seconds(row.facts.interval); });
  per_probe(family(metric("canaryd_probe_timeout_seconds")),
            [](ProbeRow const& row) { return seconds(row.facts.timeout); });
}

void Page::runs() {
  per_probe(family(metric("canaryd_probe_runs_total")),
            [](ProbeRow const& row) { return static_cast<double>(row.runs); });
  per_probe(family(metric("canaryd_probe_failed_runs_total")),
            [](ProbeRow const& row) { return static_cast<double>(row.failed_runs()); });
  {
    auto failures = family(metric("canaryd_probe_failures_total"));
    for (ProbeRow const* row : enabled_) {
      auto const add = [&](probes::Reason const& reason) {
        failures.add({row->facts.name, to_text(reason)},
                     static_cast<double>(row->failures_of(reason)));
      };
      std::ranges::for_each(probes::common_reasons(), add);
      std::ranges::for_each(row->facts.kind->reasons, add);
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
  {
    auto phases = family(metric("canaryd_probe_phase_duration_seconds"));
    for (ProbeRow const* row : enabled_) {
      if (!row->last_report) continue;
      for (auto const& phase : row->last_report->measurements.phases.shown()) {
        phases.add({row->facts.name, phase.word}, seconds(phase.time));
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
            [](ProbeRow const& row) -> std::optional<double> {
              auto const& known = row.known->certificates;
              return known ? seconds(std::optional<SysTime>{known->first}) : std::nullopt;
            });
  per_probe(family(metric("canaryd_tls_cert_warning_timestamp_seconds")),
            [](ProbeRow const& row) -> std::optional<double> {
              auto const& known = row.known->certificates;
              return known ? seconds(std::optional<SysTime>{known->warning}) : std::nullopt;
            });
  per_probe(family(metric("canaryd_tls_cert_seen_timestamp_seconds")),
            [](ProbeRow const& row) -> std::optional<double> {
              if (!row.known->certificates) return std::nullopt;
              return seconds(row.known->certificates_seen);
            });
}

// ---- what kinds declare ------------------------------------------------------------------------
// Names of things come from the repository, so the number of their series is bounded.

// Those of a type: all that are not one of many, and of those the soonest to end; each name once.
std::vector<KnownThing const*> shown(Known const& known, probes::ThingType const& type) {
  std::vector<KnownThing const*> result, many;
  for (auto const& thing : known.things) {
    if (thing.facts.type == &type) (thing.facts.one_of_many ? many : result).push_back(&thing);
  }
  std::ranges::sort(many, {}, [](KnownThing const* thing) { return by_end(thing->facts); });
  std::set<std::string_view> seen;
  std::erase_if(result,
                [&](KnownThing const* thing) { return !seen.insert(thing->facts.name).second; });
  std::size_t left = kSeriesOfMany;
  for (auto const* const thing : many) {
    if (left == 0) break;
    if (!seen.insert(thing->facts.name).second) continue;
    --left;
    result.push_back(thing);
  }
  return result;
}

void Page::deadlines() {
  auto ends = family(metric("canaryd_deadline_timestamp_seconds"));
  for (ProbeRow const* row : enabled_) {
    for (probes::ThingType const* const type : row->facts.kind->things) {
      KnownThing const* first = nullptr;
      for (auto const& thing : row->known->things) {
        if (thing.facts.type != type || !thing.facts.expiry) continue;
        if (first == nullptr || by_end(thing.facts) < by_end(first->facts)) first = &thing;
      }
      if (first == nullptr) continue;
      ends.add({row->facts.name, type->name, first->facts.name.text()},
               static_cast<double>(first->facts.expiry->at.time_since_epoch().count()));
    }
  }
}

void Page::kinds() {
  std::vector<probes::Declaration const*> kinds;
  for (ProbeRow const* row : enabled_) {
    bool const known = std::ranges::find(kinds, row->facts.kind) != kinds.end();
    if (!known) kinds.push_back(row->facts.kind);
  }
  for (auto const* const kind : kinds) {
    for (auto const* const each : kind->samples) samples(*kind, *each);
    for (auto const* const type : kind->things) things(*kind, *type);
  }
}

// A family of a closed set has all of it, from 0 on; a plain one what the last run told.
void Page::samples(probes::Declaration const& kind, probes::SampleFamily const& sampled) {
  Metric const declared = metric_of(sampled);
  auto out = family(declared);
  for (ProbeRow const* row : enabled_) {
    if (row->facts.kind != &kind || !row->last_report) continue;
    auto const& measured = row->last_report->measurements;
    for (auto const& [value, says] : sampled.values) {
      out.add({row->facts.name, value}, measured.value(sampled, value));
    }
    if (!sampled.values.empty()) continue;
    for (auto const& sample : measured.samples) {
      if (sample.family != &sampled) continue;
      if (sampled.label.empty()) {
        out.add({row->facts.name}, sample.value);
      } else {
        out.add({row->facts.name, sample.label.text()}, sample.value);
      }
    }
  }
}

void Page::things(probes::Declaration const& kind, probes::ThingType const& type) {
  std::vector<std::pair<ProbeRow const*, KnownThing const*>> series;
  for (ProbeRow const* row : enabled_) {
    if (row->facts.kind != &kind) continue;
    for (auto const* const thing : shown(*row->known, type)) series.emplace_back(row, thing);
  }
  auto const each = [&](probes::Number const& number, auto const& value) {
    if (number.metric.empty()) return;
    Metric const declared = metric_of(type, number);
    auto out = family(declared);
    for (auto const& [row, thing] : series) {
      out.add({row->facts.name, row->facts.repository, thing->facts.name.text()}, value(*thing));
    }
  };
  auto const of_expiry = [&](probes::Number const& number, auto const& value) {
    each(number, [&](KnownThing const& thing) -> std::optional<double> {
      if (!thing.facts.expiry) return std::nullopt;
      return static_cast<double>(value(*thing.facts.expiry));
    });
  };
  using probes::Expiry;
  of_expiry(type.ends, [](Expiry const& expiry) { return expiry.at.time_since_epoch().count(); });
  of_expiry(type.warning, [](Expiry const& expiry) { return expiry.warning.count(); });
  of_expiry(type.critical, [](Expiry const& expiry) { return expiry.critical.count(); });
  each(type.seen, [](KnownThing const& thing) { return seconds(thing.seen); });
  for (std::size_t i = 0; i < type.numbers.size(); ++i) {
    each(type.numbers[i],
         [i](KnownThing const& thing) { return static_cast<double>(thing.facts.numbers[i]); });
  }
  if (type.count.metric.empty()) return;
  Metric const counted = count_metric_of(type);
  auto count = family(counted);
  for (ProbeRow const* row : enabled_) {
    if (row->facts.kind != &kind || !row->last_report) continue;
    auto const& things = row->last_report->measurements.things;
    auto const seen = std::ranges::count_if(
        things, [&type](auto const& thing) { return thing.type == &type && !thing.seen; });
    count.add({row->facts.name}, static_cast<double>(seen));
  }
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

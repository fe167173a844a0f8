// SPDX-License-Identifier: Apache-2.0
// Snapshots as JSON.
#include "daemon/publish/api.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "config/duration.h"
#include "daemon/publish/report_json.h"
#include "daemon/results/known.h"
#include "daemon/results/maintenance.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;
using probes::Severity;

double seconds(std::chrono::nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

json::value time_value(std::optional<SysTime> const& time) {
  return time ? json::value(rfc3339(*time)) : json::value(nullptr);
}

json::string text_value(std::string_view text) { return json::string{text}; }

std::int64_t accepted(probes::Report const& report) {
  return std::ranges::count_if(
      report.findings, [](probes::Finding const& finding) { return finding.accepted.has_value(); });
}

// What ends: things of the repository, such as roles, and certificates; the soonest first.
json::array ends(Known const& known) {
  std::vector<std::pair<std::chrono::sys_seconds, std::string>> all;
  for (auto const& thing : known.things) {
    if (thing.facts.expiry) all.emplace_back(thing.facts.expiry->at, thing.facts.name.text());
  }
  if (auto const other = certificates_beside_things(known)) {
    all.emplace_back(other->first, "certificate");
  }
  std::ranges::sort(all);
  json::array out;
  for (auto const& [at, what] : all) {
    out.push_back(json::object{{"what", what}, {"at", config::to_text(at)}});
  }
  return out;
}

json::value ends_next(Known const& known) {
  auto const all = ends(known);
  return all.empty() ? json::value(nullptr) : all.front();
}

json::object short_form(Snapshot const& snapshot, ProbeRow const& row, SysTime now) {
  json::object out;
  out["name"] = row.facts.name;
  out["repo"] = text_value(row.facts.repository);
  out["kind"] = text_value(row.facts.kind->kind);
  out["url"] = text_value(row.facts.url);
  out["enabled"] = row.facts.enabled;
  out["state"] = text_value(state_text(row));
  out["stale"] = is_stale(row, snapshot.daemon->started, now);
  out["since"] = row.severity ? time_value(row.since) : json::value(nullptr);
  out["consecutive_failures"] = row.consecutive_failures;
  out["source"] = row.facts.source.empty() ? json::value(nullptr) : json::value(row.facts.source);
  out["interval_seconds"] = seconds(row.facts.interval);
  out["timeout_seconds"] = seconds(row.facts.timeout);
  out["last_run"] = time_value(row.last_run_end);
  out["last_duration_seconds"] =
      row.runs > 0 ? json::value(seconds(row.last_duration)) : json::value(nullptr);
  out["last_success"] = time_value(row.last_success);
  out["in_flight_since"] = time_value(row.in_flight_since);
  out["next_run"] = time_value(row.next_run);
  out["accepted"] = row.last_report ? accepted(*row.last_report) : 0;
  out["ends_next"] = ends_next(*row.known);
  out["maintenance"] = nullptr;
  if (auto const announced = maintenance_of(row, now)) {
    out["maintenance"] = json::object{{"until", config::to_text(announced->until)},
                                      {"reason", text_value(announced->reason)}};
  }
  out["trust_dropped"] = nullptr;
  if (row.trust_dropped) {
    out["trust_dropped"] = json::object{{"at", rfc3339(row.trust_dropped->at)},
                                        {"reason", row.trust_dropped->reason.text()}};
  }
  out["last_failure"] = nullptr;
  if (row.last_failure) {
    json::object failure;
    failure["at"] = time_value(row.last_failure);
    failure["reason"] = text_value(to_text(row.last_failure_reason));
    if (row.last_failure_finding) {
      auto const& finding = *row.last_failure_finding;
      failure["check"] = text_value(finding.check);
      failure["subject"] = text_value(finding.subject);
      failure["message"] = text_value(finding.message);
      failure["evidence"] = text_value(finding.evidence);
      failure["url"] = text_value(finding.url.empty() ? row.facts.url : finding.url);
      failure["sentence"] = text_value(sentence(finding));
    }
    out["last_failure"] = std::move(failure);
  }
  return out;
}

json::object counters(ProbeRow const& row) {
  json::object out;
  out["runs"] = row.runs;
  json::object failures, skipped;
  for (auto const& [reason, count] : row.failures) failures[to_text(reason)] = count;
  for (std::size_t i = 0; i < kSkipReasons; ++i) {
    skipped[to_text(static_cast<SkipReason>(i))] = row.skipped[i];
  }
  out["failures"] = std::move(failures);
  out["skipped"] = std::move(skipped);
  out["bytes_received"] = row.bytes_received;
  out["requests"] = row.requests;
  out["retries"] = row.retries;
  return out;
}

// What the last look that had it said.
json::object known_json(Known const& known, probes::Declaration const& kind) {
  json::object out;
  for (auto const* const type : kind.things) {
    json::array list;
    for (auto const& thing : known.things) {
      if (thing.facts.type != type) continue;
      json::object entry = thing_json(thing.facts);
      entry["seen"] = rfc3339(thing.seen);
      list.push_back(std::move(entry));
    }
    out[type->plural] = std::move(list);
  }
  out["tls_not_after"] = nullptr;
  out["tls_seen"] = nullptr;
  if (known.certificates) {
    out["tls_not_after"] = config::to_text(known.certificates->first);
    out["tls_seen"] = rfc3339(known.certificates_seen);
  }
  return out;
}

std::string text(json::object const& value) { return json::serialize(value) + '\n'; }

json::object health_object(Health const& health) {
  json::object out;
  out["ok"] = health.ok;
  out["reason"] = text_value(health.reason);
  return out;
}

// Which share of the probes it watches, and from where.
void add_share(json::object& out, DaemonFacts const& facts) {
  out["shard"] = facts.shard.is_all() ? json::value(nullptr) : json::value(to_text(facts.shard));
  out["probes_elsewhere"] = facts.elsewhere;
  out["vantage"] =
      facts.vantage.empty() ? json::value(nullptr) : json::value(text_value(facts.vantage));
}

// Of probes.
json::array sources_array(std::vector<SourceFacts> const& sources) {
  json::array all;
  for (auto const& source : sources) {
    all.push_back(json::object{
        {"name", source.name},
        {"from", text_value(source.from)},
        {"probes", source.probes},
        {"successful", source.looked ? json::value(source.successful) : json::value(nullptr)},
        {"listed", source.listed},
        {"confirmed", time_value(source.confirmed)},
        {"taken", time_value(source.taken)},
        {"failing_since", time_value(source.failing_since)},
        {"error", text_value(source.error)}});
  }
  return all;
}

json::object daemon_object(DaemonFacts const& facts, SysTime now) {
  json::object reload;
  reload["successful"] = facts.reload_successful;
  reload["last_success"] = time_value(facts.last_reload_success);
  reload["last_attempt"] = time_value(facts.last_reload_attempt);
  reload["error"] = text_value(facts.reload_error);
  json::object out;
  out["version"] = text_value(facts.version);
  out["revision"] = text_value(facts.revision);
  out["started"] = rfc3339(facts.started);
  out["uptime_seconds"] = seconds(std::max(now - facts.started, std::chrono::milliseconds{0}));
  out["config_file"] = text_value(facts.config_file);
  out["reload"] = std::move(reload);
  add_share(out, facts);
  out["discovery"] = sources_array(facts.sources);
  return out;
}

}  // namespace

std::string_view state_text(ProbeRow const& probe) {
  if (!probe.facts.enabled) return "paused";
  return probe.severity ? to_text(*probe.severity) : "pending";
}

bool is_stale(ProbeRow const& probe, SysTime daemon_started, SysTime now) {
  if (!probe.facts.enabled) return false;
  SysTime const last = probe.last_run_end.value_or(daemon_started);
  return now - last > 3 * probe.facts.interval + probe.facts.timeout;
}

Health readiness(Snapshot const& snapshot, SysTime now) {
  if (!snapshot.daemon->last_reload_success) return {false, "no configuration is loaded yet"};
  for (ProbeRow const* row : snapshot.probes) {
    if (!row->facts.enabled || row->last_run_start) continue;
    if (!row->next_run) return {false, "probe " + row->facts.name + " is not scheduled yet"};
    if (*row->next_run < now) {
      return {false, "probe " + row->facts.name + " was due at " + rfc3339(*row->next_run) +
                         " and has not begun its first run"};
    }
  }
  return {};
}

std::string probes_json(Snapshot const& snapshot, SysTime now) {
  json::array probes;
  for (ProbeRow const* row : snapshot.probes) {
    probes.push_back(short_form(snapshot, *row, now));
  }
  json::object out;
  out["as_of"] = rfc3339(now);
  add_share(out, *snapshot.daemon);
  out["discovery"] = sources_array(snapshot.daemon->sources);
  out["probes"] = std::move(probes);
  return text(out);
}

std::optional<std::string> probe_json(Snapshot const& snapshot, std::string_view probe,
                                      SysTime now) {
  ProbeRow const* const row = snapshot.find(probe);
  if (row == nullptr) return std::nullopt;
  json::object out = short_form(snapshot, *row, now);
  out["as_of"] = rfc3339(now);
  out["counters"] = counters(*row);
  out["known"] = known_json(*row->known, *row->facts.kind);
  out["ends"] = ends(*row->known);
  out["findings"] = json::array{};
  out["measurements"] = nullptr;
  if (row->last_report) {
    out["findings"] = findings_json(*row->last_report);
    out["measurements"] = measurements_json(row->last_report->measurements, *row->facts.kind);
  }
  return text(out);
}

std::string status_json(Snapshot const& snapshot, Health const& live, SysTime now) {
  constexpr std::array kStates{"ok", "warning", "critical", "unknown", "pending", "paused"};
  std::array<std::uint64_t, kStates.size()> counts{};
  std::uint64_t stale = 0;
  Severity worst = Severity::ok;
  bool any_result = false;
  for (ProbeRow const* row : snapshot.probes) {
    auto const state = std::ranges::find(kStates, state_text(*row));
    ++counts[static_cast<std::size_t>(state - kStates.begin())];
    if (is_stale(*row, snapshot.daemon->started, now)) ++stale;
    if (row->facts.enabled && row->severity) {
      worst = probes::worse(worst, *row->severity);
      any_result = true;
    }
  }
  json::object states;
  for (std::size_t i = 0; i < kStates.size(); ++i) states[kStates[i]] = counts[i];
  states["stale"] = stale;  // beside one of the others
  states["total"] = snapshot.probes.size();
  json::object out;
  out["as_of"] = rfc3339(now);
  out["status"] = text_value(any_result ? to_text(worst) : std::string_view{"pending"});
  out["healthy"] = health_object(live);
  out["ready"] = health_object(readiness(snapshot, now));
  out["probes"] = std::move(states);
  out["daemon"] = daemon_object(*snapshot.daemon, now);
  return text(out);
}

std::string error_json(std::string_view message) {
  json::object out;
  out["error"] = text_value(message);
  return text(out);
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "config/harmless.h"
#include "daemon/publish/api.h"
#include "daemon/publish/hang_metrics.h"
#include "daemon/watchdog/tell/current.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;
using watchdog::Incident;
using watchdog::Level;

constexpr std::size_t kLongest = 1024;

// Also from what another process left in a file.
json::string text(std::string_view value) { return json::string{make_harmless(value, kLongest)}; }

json::value wall_time(std::int64_t wall_ns) {
  if (wall_ns == 0) return nullptr;
  return json::value(rfc3339(SysTime{
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds{wall_ns})}));
}

json::object incident_json(Incident const& incident) {
  json::object out;
  out["id"] = incident.id;
  out["subject"] = text(to_text(incident.subject));
  out["level"] = text(to_text(incident.level));
  out["verdict"] = text(to_text(incident.verdict));
  out["name"] = text(incident.name.data());
  out["age_seconds"] = static_cast<double>(incident.age_ns) / 1e9;
  return out;
}

json::object stall_json(watchdog::LastStall const& stall) {
  json::object out = incident_json(stall.incident);
  out["at"] = wall_time(stall.wall_ns);
  out["site"] = text(stall.site.data());
  return out;
}

json::object dump_json(watchdog::Record const& record) {
  json::object out;
  out["written"] = record.dumps_written.load();
  out["suppressed"] = record.dumps_suppressed.load();
  out["failed"] = record.dumps_failed.load();
  watchdog::DumpOutcome last;
  out["last"] = nullptr;
  if (record.last_dump.known() && record.last_dump.load(last)) {
    json::object entry;
    entry["at"] = wall_time(last.wall_ns);
    entry["path"] = text(last.path.data());
    out["last"] = std::move(entry);
  }
  return out;
}

}  // namespace

json::value crash_record_json(watchdog::CrashRecord const& words) {
  if (!words.known) return nullptr;
  json::object out;
  out["process"] = words.process;
  out["ended"] = wall_time(words.ended_wall_ns);
  out["in_order"] = !words.in_run;
  out["runs"] = words.runs;
  out["handler"] = nullptr;
  if (words.handler_ns != 0) {
    json::object handler;
    handler["run"] = text(words.run.data());
    handler["site"] = text(words.site.data());
    handler["seconds"] = static_cast<double>(words.handler_ns) / 1e9;
    out["handler"] = std::move(handler);
  }
  out["beat_age_seconds"] = words.beat_age_ns < 0
                                ? json::value(nullptr)
                                : json::value(static_cast<double>(words.beat_age_ns) / 1e9);
  out["post_mortem"] = words.dump[0] == 0 ? json::value(nullptr) : text(words.dump.data());
  return out;
}

std::string hangs_json(watchdog::Record const& record, runtime::Tables& tables, SysTime now) {
  json::object out;
  out["as_of"] = rfc3339(now);
  auto const health = executor_health(record, tables);
  json::object executor;
  executor["ok"] = health.ok;
  executor["reason"] = text(health.reason);
  executor["level"] = text(to_text(static_cast<Level>(record.executor_level.load())));
  executor["handlers"] = tables.loop().handlers.load();
  std::int64_t const beat = tables.loop().beat_ns.load();
  executor["beat_age_seconds"] =
      beat == 0 ? json::value(nullptr)
                : json::value(static_cast<double>(runtime::now_ns() - beat) / 1e9);
  out["executor"] = std::move(executor);
  json::array incidents;
  for (auto const& incident : watchdog::current_incidents(record)) {
    incidents.push_back(incident_json(incident));
  }
  out["incidents"] = std::move(incidents);
  watchdog::LastStall last;
  out["last_stall"] = nullptr;
  if (record.last_stall.known() && record.last_stall.load(last)) {
    out["last_stall"] = stall_json(last);
  } else if (record.previous.has_stall) {
    out["last_stall"] = stall_json(record.previous.stall);
  }
  auto const& previous = record.previous;
  out["previous_run"] = nullptr;
  if (previous.known || previous.crash.known) {
    json::object entry;
    entry["end"] = text(to_text(previous.end));
    entry["clean"] = previous.clean;
    entry["started"] = wall_time(previous.started_wall_ns);
    entry["last_alive"] = wall_time(previous.last_alive_wall_ns);
    entry["blind_seconds"] = static_cast<double>(previous.blind_ns) / 1e9;
    entry["unclean_restarts"] = previous.restarts;
    entry["crash_record"] = crash_record_json(previous.crash);
    out["previous_run"] = std::move(entry);
  }
  out["dumps"] = dump_json(record);
  json::array quarantined;
  for (auto const& name : watchdog::quarantined_probes(record)) quarantined.push_back(text(name));
  out["quarantined"] = std::move(quarantined);
  return json::serialize(out) + '\n';
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/history_json.h"

#include <chrono>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "daemon/publish/api.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;

double seconds(history::milliseconds span) { return static_cast<double>(span.count()) / 1e3; }

json::value text_or_null(std::string const& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object words_json(history::Words const& words) {
  json::object out;
  out["check"] = text_or_null(words.check);
  out["subject"] = text_or_null(words.subject);
  out["severity"] = json::string{to_text(words.severity)};
  out["reason"] = text_or_null(words.reason);
  out["message"] = text_or_null(words.message);
  out["evidence"] = text_or_null(words.evidence);
  out["url"] = text_or_null(words.url);
  return out;
}

json::object moment_json(history::Moment const& moment) {
  json::object out;
  out["at"] = rfc3339(moment.at);
  out["kind"] = moment.kind;
  out["probe"] = text_or_null(moment.probe);
  for (auto& [key, value] : words_json(moment.finding)) out[key] = std::move(value);
  if (!history::has_finding(moment)) out["severity"] = nullptr;
  out["was"] = nullptr;
  if (moment.kind == "finding_changed") out["was"] = json::string{to_text(moment.was)};
  out["lasted_seconds"] = nullptr;
  if (moment.lasted.count() > 0) out["lasted_seconds"] = seconds(moment.lasted);
  return out;
}

json::object incident_json(history::Incident const& incident) {
  json::object out;
  out["id"] = incident.id;
  out["probe"] = incident.probe;
  out["url"] = text_or_null(incident.url);
  out["opened"] = rfc3339(incident.opened);
  out["closed"] = nullptr;
  out["lasted_seconds"] = nullptr;
  if (incident.closed) {
    out["closed"] = rfc3339(*incident.closed);
    out["lasted_seconds"] = seconds(*incident.closed - incident.opened);
  }
  out["worst"] = json::string{to_text(incident.worst)};
  out["failed_runs"] = incident.runs;
  json::array causes;
  for (auto const& cause : incident.causes) {
    json::object entry = words_json(cause.finding);
    entry["first"] = rfc3339(cause.first);
    entry["ended"] = nullptr;
    if (cause.ended) entry["ended"] = rfc3339(*cause.ended);
    causes.push_back(std::move(entry));
  }
  out["causes"] = std::move(causes);
  out["more_causes"] = incident.causes.size() >= history::kMostCauses;
  return out;
}

json::object run_json(history::RunEntry const& run) {
  json::object out;
  out["probe"] = run.probe;
  out["ended"] = rfc3339(run.ended);
  out["duration_seconds"] = seconds(run.duration);
  out["severity"] = json::string{to_text(run.severity)};
  out["reason"] = run.telling ? text_or_null(run.telling->reason) : json::value(nullptr);
  return out;
}

json::object version_json(history::VersionEntry const& seen) {
  json::object out;
  out["at"] = rfc3339(seen.at);
  out["probe"] = seen.probe;
  out["thing"] = seen.thing;
  out["version"] = seen.version;
  out["was"] = seen.was == 0 ? json::value(nullptr) : json::value(seen.was);
  return out;
}

json::object span_json(history::Span const& span) {
  json::object out;
  out["probe"] = span.probe;
  out["from"] = rfc3339(span.from);
  std::int64_t all = 0;
  for (std::size_t i = 0; i < span.runs.size(); ++i) {
    out[to_text(static_cast<probes::Severity>(i))] = span.runs[i];
    all += span.runs[i];
  }
  out["missed"] = span.missed;
  out["mean_seconds"] = nullptr;
  if (all > 0) out["mean_seconds"] = seconds(span.total) / static_cast<double>(all);
  out["longest_seconds"] = seconds(span.longest);
  return out;
}

template <class T, class F>
std::string list(char const* name, history::Found<T> const& found, history::Query const& query,
                 F const& entry_json) {
  json::object out;
  out["since"] = rfc3339(query.since);
  out["until"] = rfc3339(query.until);
  out["more"] = found.more;
  json::array entries;
  entries.reserve(found.entries.size());
  for (auto const& entry : found.entries) entries.push_back(entry_json(entry));
  out[name] = std::move(entries);
  return json::serialize(out);
}

}  // namespace

std::string timeline_json(history::Found<history::Moment> const& found,
                          history::Query const& query) {
  return list("entries", found, query, moment_json);
}
std::string incidents_json(history::Found<history::Incident> const& found,
                           history::Query const& query) {
  return list("incidents", found, query, incident_json);
}
std::string runs_json(history::Found<history::RunEntry> const& found, history::Query const& query) {
  return list("runs", found, query, run_json);
}
std::string versions_json(history::Found<history::VersionEntry> const& found,
                          history::Query const& query) {
  return list("versions", found, query, version_json);
}
std::string spans_json(history::Found<history::Span> const& found, history::Query const& query) {
  return list("spans", found, query, span_json);
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What is read. Each query asks for one row more than wanted, to know whether there are more.
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <string_view>

#include "daemon/history/rows.h"
#include "daemon/history/store.h"

namespace canary::history {
namespace {

constexpr std::int64_t kAnyProbe = -1;  // beside ids, which are above 0

// The condition that rows are of the probe that is asked for (?1); none where all are.
std::string of_asked(std::int64_t probe, std::string_view table) {
  return probe == kAnyProbe ? std::string{} : std::string{table} + "probe = ?1 AND ";
}

std::int64_t one_more(Query const& query) { return static_cast<std::int64_t>(query.most) + 1; }

ChangeEntry change_at(Row const& row) {
  return {.probe = text_at(row, 1),
          .at = time_of(row.integer(0)),
          .kind = static_cast<ChangeEntry::Kind>(std::clamp<std::int64_t>(row.integer(2), 0, 2)),
          .finding = words_at(row, 4),
          .was = severity_of(row.integer(3))};
}

EventEntry event_at(Row const& row) {
  return {.kind = text_at(row, 1),
          .subject = text_at(row, 2),
          .detail = text_at(row, 3),
          .at = time_of(row.integer(0)),
          .lasted = milliseconds{row.integer(4)}};
}

Incident incident_at(Row const& row) {
  Incident incident{.id = row.integer(0),
                    .probe = text_at(row, 1),
                    .url = text_at(row, 2),
                    .opened = time_of(row.integer(3)),
                    .closed = std::nullopt,
                    .worst = severity_of(row.integer(5)),
                    .runs = row.integer(6),
                    .causes = {}};
  if (!row.is_null(4)) incident.closed = time_of(row.integer(4));
  return incident;
}

Incident::Cause cause_at(Row const& row) {
  Incident::Cause cause{
      .finding = words_at(row, 2), .first = time_of(row.integer(0)), .ended = std::nullopt};
  if (!row.is_null(1)) cause.ended = time_of(row.integer(1));
  return cause;
}

Span span_at(Row const& row, std::int64_t unit) {
  Span span{.probe = text_at(row, 0),
            .from = time_of(row.integer(1) * unit),
            .missed = row.integer(6),
            .total = milliseconds{row.integer(7)},
            .longest = milliseconds{row.integer(8)}};
  for (int i = 0; i < 4; ++i) span.runs[static_cast<std::size_t>(i)] = row.integer(2 + i);
  return span;
}

}  // namespace

// The newest come first, one more than wanted; they are given in order.
template <class Entry>
DatabaseResult<Found<Entry>> Store::found(Query const& query, std::string_view sql,
                                          std::initializer_list<Value> values,
                                          std::function<Entry(Row const&)> const& entry_at,
                                          std::function<DatabaseResult<void>(Entry&)> const& more) {
  Found<Entry> found;
  auto read = ready();
  if (read) {
    read = database_->each(sql, values,
                           [&](Row const& row) { found.entries.push_back(entry_at(row)); });
  }
  for (std::size_t i = 0; more && read && i < found.entries.size(); ++i) {
    read = more(found.entries[i]);
  }
  if (!watched(read)) return read.error();
  found.more = found.entries.size() > query.most;
  if (found.more) found.entries.resize(query.most);
  std::ranges::reverse(found.entries);
  return found;
}

// By the id a question of one probe finds its rows; by a name it would go over those of all.
DatabaseResult<std::int64_t> Store::id_of_asked(Query const& query) {
  if (query.probe.empty()) return kAnyProbe;
  auto read = ready();
  if (!read) return watched(DatabaseResult<std::int64_t>{read.error()});
  return watched(
      database_->number("SELECT id FROM probes WHERE name = ?1", {std::string_view{query.probe}}));
}

DatabaseResult<Found<ChangeEntry>> Store::changes(Query const& query) {
  BOOST_OUTCOME_TRY(auto const probe, id_of_asked(query));
  return found<ChangeEntry>(
      query,
      "SELECT c.at, p.name, c.kind, c.was, c.\"check\", c.subject, c.reason, c.severity, "
      "c.message, c.evidence, c.url FROM changes c JOIN probes p ON p.id = c.probe WHERE " +
          of_asked(probe, "c.") + "c.at >= ?2 AND c.at < ?3 ORDER BY c.at DESC, c.id DESC LIMIT ?4",
      {probe, number_of(query.since), number_of(query.until), one_more(query)}, change_at);
}

DatabaseResult<Found<EventEntry>> Store::events(Query const& query) {
  return found<EventEntry>(
      query,
      "SELECT at, kind, subject, detail, lasted FROM events WHERE at >= ?2 AND at < ?3 "
      "AND (?1 = '' OR (subject = ?1 AND kind = ?5)) ORDER BY at DESC, id DESC LIMIT ?4",
      {std::string_view{query.probe}, number_of(query.since), number_of(query.until),
       one_more(query), std::string_view{kTrustDropped}},
      event_at);
}

DatabaseResult<Found<Incident>> Store::incidents(Query const& query) {
  BOOST_OUTCOME_TRY(auto const probe, id_of_asked(query));
  auto const causes = [this](Incident& incident) {
    return database_->each(
        "SELECT first, ended, \"check\", subject, reason, severity, message, evidence, url "
        "FROM causes WHERE incident = ?1 ORDER BY first, \"check\", subject",
        {incident.id}, [&incident](Row const& row) { incident.causes.push_back(cause_at(row)); });
  };
  return found<Incident>(query,
                         "SELECT i.id, p.name, p.url, i.opened, i.closed, i.worst, i.runs "
                         "FROM incidents i JOIN probes p ON p.id = i.probe WHERE " +
                             of_asked(probe, "i.") +
                             "i.opened < ?3 AND (i.closed IS NULL OR i.closed >= ?2) "
                             "ORDER BY i.opened DESC, i.id DESC LIMIT ?4",
                         {probe, number_of(query.since), number_of(query.until), one_more(query)},
                         incident_at, causes);
}

// Each part is limited by itself, so that SQLite sorts no more than it has to.
DatabaseResult<Found<RunEntry>> Store::runs(Query const& query) {
  BOOST_OUTCOME_TRY(auto const probe, id_of_asked(query));
  std::string const columns = "SELECT probe, ended, duration, severity, reason FROM ";
  std::string const span = "ended >= ?2 AND ended < ?3 ORDER BY ended DESC LIMIT ?4";
  std::string const old =
      probe == kAnyProbe
          ? "SELECT r.probe, r.ended, r.duration, r.severity, r.reason FROM probes p CROSS JOIN "
            "runs r ON r.probe = p.id WHERE r." +
                span
          : columns + "runs WHERE probe = ?1 AND " + span;
  std::string const recent = columns + "recent_runs WHERE " + of_asked(probe, "") + span;
  return found<RunEntry>(query,
                         "SELECT r.ended, r.duration, r.severity, r.reason, p.name, p.url FROM ("
                         "SELECT * FROM (" +
                             old + ") UNION ALL SELECT * FROM (" + recent +
                             ")) r JOIN probes p ON p.id = r.probe ORDER BY r.ended DESC LIMIT ?4",
                         {probe, number_of(query.since), number_of(query.until), one_more(query)},
                         run_entry_at);
}

DatabaseResult<Found<VersionEntry>> Store::versions(Query const& query) {
  BOOST_OUTCOME_TRY(auto const probe, id_of_asked(query));
  return found<VersionEntry>(
      query,
      "SELECT p.name, v.thing, v.at, v.version, v.was "
      "FROM versions v JOIN probes p ON p.id = v.probe WHERE " +
          of_asked(probe, "v.") + "v.at >= ?2 AND v.at < ?3 ORDER BY v.at DESC, v.thing LIMIT ?4",
      {probe, number_of(query.since), number_of(query.until), one_more(query)}, version_at);
}

DatabaseResult<Found<Span>> Store::spans(Query const& query, Width width) {
  BOOST_OUTCOME_TRY(auto const probe, id_of_asked(query));
  bool const by_hour = width == Width::hour;
  std::int64_t const unit = by_hour ? kHour : kDay;
  std::string const column = by_hour ? "hour" : "day", table = by_hour ? "hours" : "days";
  std::string const whose = of_asked(probe, "");
  std::string const kept =
      "SELECT s.probe, s." + column +
      " AS at, ok, warning, critical, unknown, missed, total, longest FROM " +
      (probe == kAnyProbe ? "probes p CROSS JOIN " + table + " s ON s.probe = p.id"
                          : table + " s") +
      " WHERE " + whose + "s." + column + " >= ?2 AND s." + column + " < ?3";
  std::string const recent =
      "SELECT probe, ended / ?5 AS at, severity = 0, severity = 1, severity = 2, severity = 3, 0, "
      "duration, duration FROM recent_runs WHERE " +
      whose + "ended >= ?2 * ?5 AND ended < ?3 * ?5";
  return found<Span>(query,
                     "SELECT p.name, c.at, sum(ok), sum(warning), sum(critical), sum(unknown), "
                     "sum(missed), sum(total), max(longest) FROM (" +
                         kept + " UNION ALL " + recent +
                         ") c JOIN probes p ON p.id = c.probe GROUP BY c.probe, c.at "
                         "ORDER BY c.at DESC, p.name LIMIT ?4",
                     {probe, number_of(query.since) / unit,
                      (number_of(query.until) + unit - 1) / unit, one_more(query), unit},
                     [unit](Row const& row) { return span_at(row, unit); });
}

}  // namespace canary::history

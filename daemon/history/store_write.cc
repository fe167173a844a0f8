// SPDX-License-Identifier: Apache-2.0
// What is written: entries as they come, counts of runs by hour and day, incidents as they follow
// from the runs; and what is taken away again.
#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/history/store.h"

namespace canary::history {
namespace {

using std::chrono::hours;

constexpr hours kHoursKept{24 * 92};
constexpr std::int64_t kPiece = 5'000;         // rows that one call of thin() takes away, at most
constexpr std::int64_t kChangesKept = 20'000;  // of a probe, whatever their age; versions, too
constexpr std::int64_t kPages = 2'000;         // that it gives back

std::int64_t number(Time time) { return time.time_since_epoch().count(); }
std::int64_t number(probes::Severity severity) { return static_cast<std::int64_t>(severity); }

bool failed(probes::Severity severity) { return severity >= probes::Severity::critical; }

// Deletes the oldest rows of every probe, by its key.
constexpr std::string_view kDeleteRuns =
    "DELETE FROM runs WHERE (probe, ended) IN ("
    "SELECT r.probe, r.ended FROM probes p CROSS JOIN runs r ON r.probe = p.id AND r.ended < ?1 "
    "LIMIT "
    "?2)";
constexpr std::string_view kFirstRun =
    "SELECT min((SELECT ended FROM runs r WHERE r.probe = p.id ORDER BY ended LIMIT 1)) "
    "FROM probes p";
constexpr std::string_view kFirstHour =
    "SELECT min((SELECT hour FROM hours h WHERE h.probe = p.id ORDER BY hour LIMIT 1)) "
    "FROM probes p";
constexpr std::string_view kDeleteHours =
    "DELETE FROM hours WHERE (probe, hour) IN ("
    "SELECT h.probe, h.hour FROM probes p CROSS JOIN hours h ON h.probe = p.id AND h.hour < ?1 "
    "LIMIT ?2)";
constexpr std::string_view kDeleteDays =
    "DELETE FROM days WHERE (probe, day) IN ("
    "SELECT d.probe, d.day FROM probes p CROSS JOIN days d ON d.probe = p.id AND d.day < ?1 LIMIT "
    "?2)";
constexpr std::string_view kDeleteChanges =
    "DELETE FROM changes WHERE id IN (SELECT id FROM changes WHERE at < ?1 ORDER BY at LIMIT ?2)";
constexpr std::string_view kManyChanges =
    "SELECT probe, count(*) FROM changes GROUP BY probe HAVING count(*) > ?1";
constexpr std::string_view kDeleteSurplus =
    "DELETE FROM changes WHERE id IN (SELECT id FROM changes WHERE probe = ?1 ORDER BY at LIMIT "
    "?2)";
constexpr std::string_view kDeleteVersions =
    "DELETE FROM versions WHERE (probe, thing, at) IN ("
    "SELECT probe, thing, at FROM versions WHERE at < ?1 ORDER BY at LIMIT ?2)";
constexpr std::string_view kManyVersions =
    "SELECT probe, count(*) FROM versions GROUP BY probe HAVING count(*) > ?1";
constexpr std::string_view kSurplusVersions =
    "DELETE FROM versions WHERE (probe, thing, at) IN ("
    "SELECT probe, thing, at FROM versions WHERE probe = ?1 ORDER BY at LIMIT ?2)";
constexpr std::string_view kDeleteCauses =
    "DELETE FROM causes WHERE incident IN ("
    "SELECT id FROM incidents WHERE opened < ?1 AND closed < ?1 ORDER BY opened LIMIT ?2)";
constexpr std::string_view kDeleteIncidents =
    "DELETE FROM incidents WHERE id IN ("
    "SELECT id FROM incidents WHERE opened < ?1 AND closed < ?1 ORDER BY opened LIMIT ?2)";
constexpr std::string_view kDeleteEvents =
    "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE at < ?1 ORDER BY at LIMIT ?2)";

}  // namespace

DatabaseResult<std::int64_t> Store::id_of(std::string const& probe, std::string const& url) {
  auto const known = ids_.find(probe);
  if (known != ids_.end() && (url.empty() || known->second.second == url)) {
    return known->second.first;
  }
  BOOST_OUTCOME_TRYV(
      database_->run("INSERT INTO probes (name, url) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE "
                     "SET url = CASE WHEN excluded.url = '' THEN url ELSE excluded.url END",
                     {std::string_view{probe}, std::string_view{url}}));
  BOOST_OUTCOME_TRY(auto const id, database_->number("SELECT id FROM probes WHERE name = ?1",
                                                     {std::string_view{probe}}));
  ids_[probe] = {id, url};
  return id;
}

DatabaseResult<void> Store::put(std::vector<Entry> const& batch) {
  hours_.clear();
  days_.clear();
  BOOST_OUTCOME_TRY(auto whole, Transaction::begin(*database_));
  for (Entry const& entry : batch) {
    BOOST_OUTCOME_TRYV(std::visit([this](auto const& one) { return put(one); }, entry));
  }
  BOOST_OUTCOME_TRYV(put_missed(hours_, Width::hour));
  BOOST_OUTCOME_TRYV(put_missed(days_, Width::day));
  return whole.commit();
}

DatabaseResult<void> Store::put(RunEntry const& run) {
  BOOST_OUTCOME_TRY(auto const probe, id_of(run.probe, run.url));
  Value reason = nullptr;
  if (run.telling) reason = std::string_view{run.telling->reason};
  BOOST_OUTCOME_TRYV(database_->run(
      "INSERT INTO recent_runs (probe, ended, duration, severity, reason) "
      "VALUES (?1, ?2, ?3, ?4, ?5)",
      {probe, number(run.ended), run.duration.count(), number(run.severity), reason}));
  return put_incident(run, probe);
}

DatabaseResult<void> Store::put(MissedEntry const& missed) {
  BOOST_OUTCOME_TRY(auto const probe, id_of(missed.probe, ""));
  hours_[{probe, number(missed.at) / kHour}] += missed.count;
  days_[{probe, number(missed.at) / kDay}] += missed.count;
  return outcome::success();
}

DatabaseResult<void> Store::put_missed(Missed const& counts, Width width) {
  bool const by_hour = width == Width::hour;
  std::string const table = by_hour ? "hours" : "days", unit = by_hour ? "hour" : "day";
  std::string const sql = "INSERT INTO " + table + " (probe, " + unit +
                          ", ok, warning, critical, unknown, missed, total, longest) "
                          "VALUES (?1, ?2, 0, 0, 0, 0, ?3, 0, 0) " +
                          std::string{kAddCounts};
  for (auto const& [key, missed] : counts) {
    BOOST_OUTCOME_TRYV(database_->run(sql, {key.first, key.second, missed}));
  }
  return outcome::success();
}

// Opens one with the first failed run, closes it with the first that is well.
DatabaseResult<void> Store::put_incident(RunEntry const& run, std::int64_t probe) {
  auto const ended = number(run.ended);
  BOOST_OUTCOME_TRY(
      auto incident,
      database_->number("SELECT id FROM incidents WHERE probe = ?1 AND closed IS NULL", {probe}));
  if (!failed(run.severity)) {
    if (incident == 0) return outcome::success();
    BOOST_OUTCOME_TRYV(database_->run(
        "UPDATE causes SET ended = ?2 WHERE incident = ?1 AND ended IS NULL", {incident, ended}));
    return database_->run("UPDATE incidents SET closed = ?2 WHERE id = ?1", {incident, ended});
  }
  if (incident == 0) {
    BOOST_OUTCOME_TRYV(
        database_->run("INSERT INTO incidents (probe, opened, worst, runs) VALUES (?1, ?2, ?3, 1)",
                       {probe, ended, number(run.severity)}));
    incident = database_->last_id();
  } else {
    // Bad is worse than what could not be told.
    BOOST_OUTCOME_TRYV(
        database_->run("UPDATE incidents SET runs = runs + 1, worst = min(worst, ?2) WHERE id = ?1",
                       {incident, number(run.severity)}));
  }
  if (!run.telling) return outcome::success();
  return put_cause(incident, *run.telling, run.ended);
}

// Told as it began, however often it is seen again: what was shown does not change.
DatabaseResult<void> Store::put_cause(std::int64_t incident, Words const& words, Time at) {
  return database_->run(
      "INSERT INTO causes (incident, \"check\", subject, reason, severity, first, message, "
      "evidence, url) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 "
      "WHERE (SELECT count(*) FROM causes WHERE incident = ?1) < ?10 OR EXISTS (SELECT 1 FROM "
      "causes "
      "WHERE incident = ?1 AND \"check\" = ?2 AND subject = ?3 AND reason = ?4) "
      "ON CONFLICT DO UPDATE SET ended = NULL",
      {incident, std::string_view{words.check}, std::string_view{words.subject},
       std::string_view{words.reason}, number(words.severity), number(at),
       std::string_view{words.message}, std::string_view{words.evidence},
       std::string_view{words.url}, static_cast<std::int64_t>(kMostCauses)});
}

DatabaseResult<void> Store::put(ChangeEntry const& change) {
  BOOST_OUTCOME_TRY(auto const probe, id_of(change.probe, ""));
  auto const& words = change.finding;
  BOOST_OUTCOME_TRYV(database_->run(
      "INSERT INTO changes (at, probe, kind, severity, was, \"check\", subject, reason, message, "
      "evidence, url) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
      {number(change.at), probe, static_cast<std::int64_t>(change.kind), number(words.severity),
       number(change.was), std::string_view{words.check}, std::string_view{words.subject},
       std::string_view{words.reason}, std::string_view{words.message},
       std::string_view{words.evidence}, std::string_view{words.url}}));
  BOOST_OUTCOME_TRY(
      auto const incident,
      database_->number("SELECT id FROM incidents WHERE probe = ?1 AND closed IS NULL", {probe}));
  if (incident == 0) return outcome::success();
  if (change.kind != ChangeEntry::Kind::opened) {
    BOOST_OUTCOME_TRYV(database_->run(
        "UPDATE causes SET ended = ?4 WHERE incident = ?1 AND \"check\" = ?2 AND subject = ?3 AND "
        "ended IS NULL",
        {incident, std::string_view{words.check}, std::string_view{words.subject},
         number(change.at)}));
  }
  if (change.kind == ChangeEntry::Kind::closed || !failed(words.severity)) {
    return outcome::success();
  }
  return put_cause(incident, words, change.at);
}

DatabaseResult<void> Store::put(VersionEntry const& version) {
  BOOST_OUTCOME_TRY(auto const probe, id_of(version.probe, ""));
  return database_->run(
      "INSERT OR REPLACE INTO versions (probe, thing, at, version, was) VALUES (?1, ?2, ?3, ?4, "
      "?5)",
      {probe, std::string_view{version.thing}, number(version.at), version.version, version.was});
}

DatabaseResult<void> Store::put(EventEntry const& event) {
  return database_->run(
      "INSERT INTO events (at, kind, subject, detail, lasted) VALUES (?1, ?2, ?3, ?4, ?5)",
      {number(event.at), std::string_view{event.kind}, std::string_view{event.subject},
       std::string_view{event.detail}, event.lasted.count()});
}

// What of a probe is more than is kept, a piece of it; returns how many rows went at most.
DatabaseResult<std::int64_t> Store::delete_surplus(std::string_view many,
                                                   std::string_view surplus) {
  std::vector<std::pair<std::int64_t, std::int64_t>> found;  // probe, rows
  std::int64_t taken = 0;
  BOOST_OUTCOME_TRYV(database_->each(many, {kChangesKept}, [&](Row const& row) {
    found.emplace_back(row.integer(0), row.integer(1));
  }));
  for (auto const& [probe, rows] : found) {
    auto const piece = std::min(rows - kChangesKept, kPiece);
    BOOST_OUTCOME_TRYV(database_->run(surplus, {probe, piece}));
    taken = std::max(taken, piece);
  }
  return taken;
}

// First by age; where the file is still too large, the oldest of what is most.
DatabaseResult<bool> Store::delete_some(Time now) {
  auto const until = [&](milliseconds kept) { return number(now - std::min(kept, bounds_.keep)); };
  std::int64_t const all = number(now - bounds_.keep);
  std::int64_t taken = 0;
  auto const take = [&](std::string_view sql, std::int64_t before) -> DatabaseResult<void> {
    BOOST_OUTCOME_TRYV(database_->run(sql, {before, kPiece}));
    taken = std::max(taken, database_->changed());
    return outcome::success();
  };
  BOOST_OUTCOME_TRY(auto whole, Transaction::begin(*database_));
  BOOST_OUTCOME_TRYV(take(kDeleteRuns, until(kRunsKept)));
  BOOST_OUTCOME_TRYV(take(kDeleteHours, until(kHoursKept) / kHour));
  BOOST_OUTCOME_TRYV(take(kDeleteDays, all / kDay));
  BOOST_OUTCOME_TRYV(take(kDeleteChanges, all));
  BOOST_OUTCOME_TRY(auto const changes, delete_surplus(kManyChanges, kDeleteSurplus));
  BOOST_OUTCOME_TRYV(take(kDeleteVersions, all));
  BOOST_OUTCOME_TRY(auto const versions, delete_surplus(kManyVersions, kSurplusVersions));
  taken = std::max({taken, changes, versions});
  BOOST_OUTCOME_TRYV(take(kDeleteCauses, all));
  BOOST_OUTCOME_TRYV(take(kDeleteIncidents, all));
  BOOST_OUTCOME_TRYV(take(kDeleteEvents, all));
  BOOST_OUTCOME_TRY(auto const pages, database_->number("PRAGMA page_count"));
  BOOST_OUTCOME_TRY(auto const free, database_->number("PRAGMA freelist_count"));
  BOOST_OUTCOME_TRY(auto const page, database_->number("PRAGMA page_size"));
  auto const used = static_cast<std::uint64_t>((pages - free) * page);
  if (taken == 0 && used > bounds_.bytes) {
    // An eighth of the time that they tell of, for each probe alike.
    BOOST_OUTCOME_TRY(auto const first, database_->number(kFirstRun));
    if (first != 0) {
      BOOST_OUTCOME_TRYV(take(kDeleteRuns, first + (number(now) - first) / 8 + 1));
    }
    if (taken == 0) {
      BOOST_OUTCOME_TRY(auto const oldest, database_->number(kFirstHour));
      if (oldest != 0) {
        BOOST_OUTCOME_TRYV(take(kDeleteHours, oldest + (number(now) / kHour - oldest) / 8 + 1));
      }
    }
    if (taken == 0) {
      BOOST_OUTCOME_TRYV(take(kDeleteChanges, number(now)));
      BOOST_OUTCOME_TRYV(take(kDeleteVersions, number(now)));
    }
  }
  BOOST_OUTCOME_TRYV(whole.commit());
  // Room for the runs that come until the next time stays.
  if (taken > 0 || free * 16 > pages || static_cast<std::uint64_t>(pages * page) > bounds_.bytes) {
    BOOST_OUTCOME_TRYV(
        database_->script(("PRAGMA incremental_vacuum(" + std::to_string(kPages) + ")").c_str()));
  }
  return taken >= kPiece;
}

}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// What was so at a moment: single runs, what was wrong then, which versions were seen.
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <string_view>

#include "daemon/history/rows.h"
#include "daemon/history/store.h"

namespace canary::history {

template <class T>
DatabaseResult<std::vector<T>> Store::list(std::string_view sql,
                                           std::initializer_list<Value> values,
                                           std::function<T(Row const&)> const& read) {
  std::vector<T> all;
  auto done = ready();
  if (done) {
    done = database_->each(sql, values, [&](Row const& row) { all.push_back(read(row)); });
  }
  if (!watched(done)) return done.error();
  return all;
}

template <class T>
DatabaseResult<std::optional<T>> Store::one(std::string_view sql,
                                            std::initializer_list<Value> values,
                                            std::function<T(Row const&)> const& read) {
  BOOST_OUTCOME_TRY(auto rows, list<T>(sql, values, read));
  if (rows.empty()) return std::optional<T>{};
  return std::optional<T>{std::move(rows.front())};
}

DatabaseResult<std::optional<RunEntry>> Store::run_at(std::string const& probe, Time at) {
  BOOST_OUTCOME_TRY(auto found,
                    runs({.probe = probe, .since = at, .until = at + milliseconds{1}, .most = 1}));
  if (found.entries.empty()) return std::optional<RunEntry>{};
  return std::optional<RunEntry>{std::move(found.entries.front())};
}

DatabaseResult<std::optional<Time>> Store::run_after(std::string const& probe, Time at) {
  BOOST_OUTCOME_TRY(auto const id, id_of_asked({.probe = probe, .since = {}, .until = {}}));
  return one<Time>(
      "SELECT ended FROM ("
      "SELECT min(ended) AS ended FROM runs WHERE probe = ?1 AND ended > ?2 UNION ALL "
      "SELECT min(ended) FROM recent_runs WHERE probe = ?1 AND ended > ?2) "
      "WHERE ended NOT NULL ORDER BY ended LIMIT 1",
      {id, number_of(at)}, [](Row const& row) { return time_of(row.integer(0)); });
}

// The last change of each finding says whether it was open.
DatabaseResult<std::vector<OpenFinding>> Store::findings_at(std::string const& probe, Time at) {
  auto found = list<OpenFinding>(
      "SELECT l.first, c.\"check\", c.subject, c.reason, c.severity, c.message, c.evidence, c.url "
      "FROM (SELECT max(c.id) AS last, max(CASE WHEN c.kind = 0 THEN c.at END) AS first "
      "FROM probes p JOIN changes c ON c.probe = p.id WHERE p.name = ?1 AND c.at <= ?2 "
      "GROUP BY c.\"check\", c.subject) l JOIN changes c ON c.id = l.last WHERE c.kind <> ?3 "
      "ORDER BY c.severity = 1, c.severity, l.first, c.id",
      {std::string_view{probe}, number_of(at),
       static_cast<std::int64_t>(ChangeEntry::Kind::closed)},
      [](Row const& row) {
        OpenFinding open{.finding = words_at(row, 1), .first = std::nullopt};
        if (!row.is_null(0)) open.first = time_of(row.integer(0));
        return open;
      });
  return found;
}

DatabaseResult<std::vector<VersionEntry>> Store::versions_at(std::string const& probe, Time at) {
  return list<VersionEntry>(
      "SELECT p.name, v.thing, max(v.at), v.version, v.was "
      "FROM probes p JOIN versions v ON v.probe = p.id WHERE p.name = ?1 AND v.at <= ?2 "
      "GROUP BY v.thing ORDER BY v.thing",
      {std::string_view{probe}, number_of(at)}, version_at);
}

DatabaseResult<std::optional<Time>> Store::first_above(std::string const& probe,
                                                       std::string const& thing,
                                                       std::int64_t version) {
  return one<Time>(
      "SELECT v.at FROM probes p JOIN versions v ON v.probe = p.id "
      "WHERE p.name = ?1 AND v.thing = ?2 AND v.version > ?3 ORDER BY v.at LIMIT 1",
      {std::string_view{probe}, std::string_view{thing}, version},
      [](Row const& row) { return time_of(row.integer(0)); });
}

}  // namespace canary::history

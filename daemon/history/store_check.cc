// SPDX-License-Identifier: Apache-2.0
// Looks for damage. A file that is read within a second is left to SQLite's own check; of a larger
// one, which takes it minutes on a slow disk, every row is read, a piece at a time, so that what is
// to be written or asked need not wait for the end of that. What SQLite meets there that cannot be
// is damage.
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>

#include "config/harmless.h"
#include "daemon/history/store.h"

namespace canary::history {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPiece = std::chrono::milliseconds{100};

// A table, its first key, and a column that no index has: the rows themselves are to be read.
struct Rows {
  std::string_view table, key, column;
};
constexpr Rows kAll[] = {{"probes", "id", "url"},           {"recent_runs", "id", "duration"},
                         {"runs", "probe", "duration"},     {"hours", "probe", "longest"},
                         {"days", "probe", "longest"},      {"changes", "id", "message"},
                         {"versions", "probe", "was"},      {"incidents", "id", "worst"},
                         {"causes", "incident", "message"}, {"events", "id", "detail"}};

std::string next_key(Rows const& rows) {
  return std::string{"SELECT min("}
      .append(rows.key)
      .append(") FROM ")
      .append(rows.table)
      .append(" WHERE ")
      .append(rows.key)
      .append(" > ?1");
}

// Of one key: of a probe or an incident all rows, else some thousand by their numbers.
std::string read_of(Rows const& rows) {
  std::string sql = std::string{"SELECT max("}.append(rows.key).append("), sum(length(");
  sql.append(rows.column).append(")) FROM (SELECT * FROM ").append(rows.table).append(" WHERE ");
  sql.append(rows.key).append(rows.key == "id" ? " >= ?1 ORDER BY id LIMIT 5000)" : " = ?1)");
  return sql;
}

}  // namespace

DatabaseResult<void> Store::check_whole() {
  std::string found;
  BOOST_OUTCOME_TRYV(database_->each("PRAGMA quick_check(1)", {}, [&found](Row const& row) {
    found = HarmlessText<400>{row.text(0)}.text();
  }));
  if (found != "ok") return DatabaseFault{kDamage, found};
  return outcome::success();
}

DatabaseResult<bool> Store::check_piece() {
  auto const until = Clock::now() + kPiece;
  while (check_.table < std::size(kAll)) {
    Rows const& rows = kAll[check_.table];
    BOOST_OUTCOME_TRY(auto const key, database_->number(next_key(rows), {check_.key}));
    if (key == 0) {  // ids begin with 1
      check_ = {.table = check_.table + 1};
      continue;
    }
    BOOST_OUTCOME_TRY(check_.key, database_->number(read_of(rows), {key}));
    if (Clock::now() >= until) return true;
  }
  check_ = {};
  return false;
}

DatabaseResult<bool> Store::check(std::uint64_t whole) {
  auto opened = ready();
  if (!opened) return watched(DatabaseResult<bool>{opened.error()});
  return watched(check_some(whole));
}

DatabaseResult<bool> Store::check_some(std::uint64_t whole) {
  BOOST_OUTCOME_TRY(auto const pages, database_->number("PRAGMA page_count"));
  BOOST_OUTCOME_TRY(auto const page, database_->number("PRAGMA page_size"));
  if (static_cast<std::uint64_t>(pages * page) > whole) return check_piece();
  BOOST_OUTCOME_TRYV(check_whole());
  return false;
}

}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// Runs come in order of time, and are kept and counted by probe. Brought to their places one by
// one, each would change a page of the file in each of three tables, 4 KiB to be written twice for
// some 20 bytes. So they wait in order of time, where one page takes a hundred of them, and are
// brought there together: a page then takes all that came of a probe meanwhile.
#include <chrono>
#include <string>
#include <string_view>

#include "daemon/history/store.h"

namespace canary::history {
namespace {

constexpr std::chrono::hours kLongest{1};      // that one waits
constexpr std::int64_t kMostRecent = 100'000;  // that wait: what every question of runs goes over

constexpr std::string_view kPutRuns =
    "INSERT OR REPLACE INTO runs (probe, ended, duration, severity, reason) "
    "SELECT probe, ended, duration, severity, reason FROM recent_runs ORDER BY probe, ended, id";

std::string count_into(std::string_view table, std::string_view column, std::int64_t unit) {
  return std::string{"INSERT INTO "}
      .append(table)
      .append(" (probe, ")
      .append(column)
      .append(", ok, warning, critical, unknown, missed, total, longest) SELECT probe, ended / ")
      .append(std::to_string(unit))
      .append(
          ", sum(severity = 0), sum(severity = 1), sum(severity = 2), sum(severity = 3), 0, "
          "sum(duration), max(duration) FROM recent_runs WHERE true GROUP BY 1, 2 ")
      .append(kAddCounts);
}

}  // namespace

DatabaseResult<void> Store::bring_recent_runs_to_their_places(Time now) {
  BOOST_OUTCOME_TRY(auto const waiting, database_->number("SELECT count(*) FROM recent_runs"));
  if (waiting == 0) return outcome::success();
  BOOST_OUTCOME_TRY(auto const first,
                    database_->number("SELECT ended FROM recent_runs ORDER BY id LIMIT 1"));
  auto const age = now - Time{milliseconds{first}};  // below 0: the clock was set back
  if (waiting < kMostRecent && age >= milliseconds{0} && age < kLongest) return outcome::success();
  BOOST_OUTCOME_TRY(auto whole, Transaction::begin(*database_));
  BOOST_OUTCOME_TRYV(database_->run(kPutRuns));
  BOOST_OUTCOME_TRYV(database_->run(count_into("hours", "hour", kHour)));
  BOOST_OUTCOME_TRYV(database_->run(count_into("days", "day", kDay)));
  BOOST_OUTCOME_TRYV(database_->run("DELETE FROM recent_runs"));
  return whole.commit();
}

}  // namespace canary::history

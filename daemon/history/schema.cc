// SPDX-License-Identifier: Apache-2.0
// Runs are kept by probe, not by time: an index beside them would cost more than all else.
#include "daemon/history/schema.h"

#include <cstddef>
#include <iterator>

namespace canary::history {
namespace {

// auto_vacuum has to come before the first table; synchronous FULL: what was committed is shown.
constexpr char kConnection[] =
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA cache_size = -4096;"
    "PRAGMA journal_size_limit = 16777216;"
    "PRAGMA foreign_keys = OFF;";

constexpr char kVersion1[] = R"sql(
CREATE TABLE probes (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL
);
CREATE TABLE runs (
  probe INTEGER NOT NULL REFERENCES probes (id),
  ended INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  reason TEXT,
  PRIMARY KEY (probe, ended)
) WITHOUT ROWID;
CREATE TABLE hours (
  probe INTEGER NOT NULL REFERENCES probes (id),
  hour INTEGER NOT NULL,
  ok INTEGER NOT NULL, warning INTEGER NOT NULL,
  critical INTEGER NOT NULL, unknown INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  total INTEGER NOT NULL, longest INTEGER NOT NULL,
  PRIMARY KEY (probe, hour)
) WITHOUT ROWID;
CREATE TABLE days (
  probe INTEGER NOT NULL REFERENCES probes (id),
  day INTEGER NOT NULL,
  ok INTEGER NOT NULL, warning INTEGER NOT NULL,
  critical INTEGER NOT NULL, unknown INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  total INTEGER NOT NULL, longest INTEGER NOT NULL,
  PRIMARY KEY (probe, day)
) WITHOUT ROWID;
CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  probe INTEGER NOT NULL REFERENCES probes (id),
  kind INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  was INTEGER NOT NULL,
  "check" TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
  message TEXT NOT NULL, evidence TEXT NOT NULL, url TEXT NOT NULL,
  edge TEXT
);
CREATE INDEX changes_at ON changes (at);
CREATE INDEX changes_probe ON changes (probe, at);
CREATE TABLE incidents (
  id INTEGER PRIMARY KEY,
  probe INTEGER NOT NULL REFERENCES probes (id),
  opened INTEGER NOT NULL,
  closed INTEGER,
  worst INTEGER NOT NULL,
  runs INTEGER NOT NULL
);
CREATE INDEX incidents_opened ON incidents (opened);
CREATE INDEX incidents_probe ON incidents (probe, opened);
CREATE UNIQUE INDEX incidents_open ON incidents (probe) WHERE closed IS NULL;
CREATE TABLE causes (
  incident INTEGER NOT NULL REFERENCES incidents (id),
  "check" TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL,
  severity INTEGER NOT NULL,
  first INTEGER NOT NULL,
  ended INTEGER,
  message TEXT NOT NULL, evidence TEXT NOT NULL, url TEXT NOT NULL,
  PRIMARY KEY (incident, "check", subject, reason)
) WITHOUT ROWID;
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL,
  lasted INTEGER NOT NULL
);
CREATE INDEX events_at ON events (at);
PRAGMA user_version = 1;
)sql";

constexpr char kVersion2[] = R"sql(
CREATE TABLE recent_runs (
  id INTEGER PRIMARY KEY,
  probe INTEGER NOT NULL REFERENCES probes (id),
  ended INTEGER NOT NULL,
  duration INTEGER NOT NULL,
  severity INTEGER NOT NULL,
  reason TEXT
);
PRAGMA user_version = 2;
)sql";

constexpr char kVersion3[] = R"sql(
CREATE TABLE versions (
  probe INTEGER NOT NULL REFERENCES probes (id),
  thing TEXT NOT NULL,
  at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  was INTEGER NOT NULL,
  PRIMARY KEY (probe, thing, at)
) WITHOUT ROWID;
CREATE INDEX versions_at ON versions (at);
PRAGMA user_version = 3;
)sql";

// The step to each version from the one before.
constexpr char const* kSteps[] = {kVersion1, kVersion2, kVersion3};
static_assert(std::size(kSteps) == kSchemaVersion);

}  // namespace

DatabaseResult<std::int64_t> schema_version(Database& database) {
  return database.number("PRAGMA user_version");
}

DatabaseResult<void> stand_in_for_newer_tables(Database& database, std::int64_t version) {
  if (version < 2) {
    BOOST_OUTCOME_TRYV(database.script(
        "CREATE TEMP TABLE recent_runs (id INTEGER PRIMARY KEY, probe, ended, duration, severity, "
        "reason)"));
  }
  if (version >= 3) return outcome::success();
  return database.script("CREATE TEMP TABLE versions (probe, thing, at, version, was)");
}

DatabaseResult<void> prepare_schema(Database& database) {
  BOOST_OUTCOME_TRY(auto const version, schema_version(database));
  BOOST_OUTCOME_TRYV(database.script(kConnection));
  if (version == kSchemaVersion) return outcome::success();
  BOOST_OUTCOME_TRY(auto whole, Transaction::begin(database));
  for (auto step = static_cast<std::size_t>(version); step < std::size(kSteps); ++step) {
    BOOST_OUTCOME_TRYV(database.script(kSteps[step]));
  }
  return whole.commit();
}

}  // namespace canary::history

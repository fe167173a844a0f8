// SPDX-License-Identifier: Apache-2.0
// The tables of canaryd's database, and how those of an older version become today's.
//
//   probes ──< recent_runs   in order of time, until they are brought to the three below
//          ──< runs      every other run; thinned first
//          ──< hours     runs counted by hour and by day (UTC): what a bar shows is there, however
//          ──< days      long ago its runs were thinned
//          ──< changes   findings opened, changed, closed
//          ──< versions  of roles, as they changed
//          ──< incidents ──< causes
//   events               canaryd's own: starts, ends, reloads, hangs
//
// A ledger of the files that a repository lists refers to probes(id) as these do. Times are
// milliseconds, hours and days numbers since 1970-01-01T00:00:00Z; severities those of
// canaryd_probe_finding_severity.
// Thread: the database's.
#pragma once

#include "daemon/history/database.h"

namespace canary::history {

inline constexpr std::int64_t kSchemaVersion = 3;  // `PRAGMA user_version`

// 0 where the file is empty.
DatabaseResult<std::int64_t> schema_version(Database& database);
// Settings of the connection, then the tables. REQUIRES: its version is not above ours.
DatabaseResult<void> prepare_schema(Database& database);
// Of an older version, which is read and not changed: tables that it has not are there and empty.
DatabaseResult<void> stand_in_for_newer_tables(Database& database, std::int64_t version);

}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// The tables of canaryd's database, and how those of an older version become today's.
//
//   probes ──< runs      every run; thinned first
//          ──< hours     runs counted by hour and by day (UTC), at once when they end: what a bar
//          ──< days      shows is there, however long ago its runs were thinned
//          ──< changes   findings opened, changed, closed
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

inline constexpr std::int64_t kSchemaVersion = 1;  // `PRAGMA user_version`

// 0 where the file is empty.
DatabaseResult<std::int64_t> schema_version(Database& database);
// Settings of the connection, then the tables. REQUIRES: its version is not above ours.
DatabaseResult<void> prepare_schema(Database& database);

}  // namespace canary::history

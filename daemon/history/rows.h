// SPDX-License-Identifier: Apache-2.0
// Rows of the history as values.
// Thread: the database's.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/history/database.h"
#include "daemon/history/entries.h"

namespace canary::history {

inline Time time_of(std::int64_t number) { return Time{milliseconds{number}}; }
inline std::int64_t number_of(Time time) { return time.time_since_epoch().count(); }

// A damaged file may hold any number.
probes::Severity severity_of(std::int64_t number);
// As harmless as what was written: somebody else may have changed the file.
std::string text_at(Row const& row, int column);
// Columns `first` and on: check, subject, reason, severity, message, evidence, url.
Words words_at(Row const& row, int first);
// Columns 0 and on: ended, duration, severity, reason, probe, URL.
RunEntry run_entry_at(Row const& row);
// Columns 0 and on: probe, thing, at, version, was.
VersionEntry version_at(Row const& row);

}  // namespace canary::history

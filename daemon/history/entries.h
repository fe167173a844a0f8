// SPDX-License-Identifier: Apache-2.0
// What is written into the history, and what is read from it again.
// Thread: none (plain values).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "probes/report.h"

namespace canary::history {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;  // wall clock
using std::chrono::milliseconds;

// A finding as it is remembered. Texts became harmless where they entered the program.
struct Words {
  std::string check, subject, reason, message, evidence, url;
  probes::Severity severity = probes::Severity::ok;
  friend bool operator==(Words const&, Words const&) = default;
};
Words words_of(probes::Finding const& finding);

// Single runs are; of others the counts by hour and day.
inline constexpr std::chrono::hours kRunsKept{24 * 7};

// A run ended with a report.
struct RunEntry {
  std::string probe, url;  // `url`: where the repository is
  Time ended{};
  milliseconds duration{0};
  probes::Severity severity = probes::Severity::ok;
  std::optional<Words> telling;  // what speaks for a run that is not ok
};

// Runs that were due and did not start, or concluded nothing.
struct MissedEntry {
  std::string probe, why;  // as the label `reason` of canaryd_probe_runs_skipped_total
  Time at{};
  std::int64_t count = 1;
};

struct ChangeEntry {
  enum class Kind : std::uint8_t { opened = 0, changed = 1, closed = 2 };  // as stored
  std::string probe;
  Time at{};
  Kind kind = Kind::opened;
  Words finding;                                // as it is; a closed one as it was
  probes::Severity was = probes::Severity::ok;  // before a change
};

// A repository showed another version of one of its things, such as a role of TUF, than before; or
// the first that was seen of it, `was` 0.
struct VersionEntry {
  std::string probe, thing;
  Time at{};
  std::int64_t version = 0, was = 0;
  friend bool operator==(VersionEntry const&, VersionEntry const&) = default;
};

// What befell canaryd itself: "start", "stop", "reload", "list" (of probes), "reload_refused",
// "hang", "unclean_end"; and "changes_left_out" of a probe whose findings or versions changed too
// often. Of the probe `subject` is kTrustDropped, with the reason as detail.
struct EventEntry {
  std::string kind, subject, detail;
  Time at{};
  milliseconds lasted{0};
};

inline constexpr char kTrustDropped[] = "trust_dropped";

using Entry = std::variant<RunEntry, MissedEntry, ChangeEntry, VersionEntry, EventEntry>;

// From the first failed run of a probe (critical, or could not tell) to the first that is well.
struct Incident {
  struct Cause {
    Words finding;  // as it was seen last
    Time first{};
    std::optional<Time> ended;
  };
  std::int64_t id = 0;
  std::string probe, url;
  Time opened{};
  std::optional<Time> closed;
  probes::Severity worst = probes::Severity::ok;
  std::int64_t runs = 0;      // that failed
  std::vector<Cause> causes;  // the first kMostCauses
};
inline constexpr std::size_t kMostCauses = 100;

// A finding that was there at a moment, as the change before told it.
struct OpenFinding {
  Words finding;
  std::optional<Time> first;  // when it opened; nothing where that is not kept any more
};

// The runs of a probe that ended within an hour or a day (UTC) which begins at `from`.
struct Span {
  std::string probe;
  Time from{};
  std::array<std::int64_t, 4> runs{};  // by Severity
  std::int64_t missed = 0;
  milliseconds total{0}, longest{0};  // durations
};

// What to read: [since, until), of one probe or of all ("").
struct Query {
  std::string probe;
  Time since{}, until{};
  std::size_t most = 1'000;  // the newest; more are said to be there
  bool versions = false;     // of a timeline: tell of versions, too
};

template <class T>
struct Found {
  std::vector<T> entries;  // in order of time
  bool more = false;       // older ones were left out
};

}  // namespace canary::history

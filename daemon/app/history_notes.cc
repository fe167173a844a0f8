// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/history_notes.h"

#include <chrono>

#include "daemon/watchdog/judge/judgement.h"

namespace canary::daemon {
namespace {

using history::ChangeEntry;
using std::chrono::milliseconds;

history::ChangeEntry::Kind kind_of(FindingChange::Kind kind) {
  switch (kind) {
    case FindingChange::Kind::opened:
      return ChangeEntry::Kind::opened;
    case FindingChange::Kind::changed:
      return ChangeEntry::Kind::changed;
    case FindingChange::Kind::closed:
      return ChangeEntry::Kind::closed;
  }
  return ChangeEntry::Kind::changed;
}

SysTime wall(std::int64_t nanoseconds) {
  return SysTime{std::chrono::floor<milliseconds>(std::chrono::nanoseconds{nanoseconds})};
}

}  // namespace

std::vector<history::Entry> entries_of(Changes const& changes, ProbeRow const& row) {
  std::vector<history::Entry> entries;
  if (!row.last_run_end || !row.severity) return entries;
  SysTime const at = *row.last_run_end;
  history::RunEntry run{.probe = changes.probe,
                        .url = std::string{changes.url},
                        .ended = at,
                        .duration = std::chrono::floor<milliseconds>(row.last_duration),
                        .severity = *row.severity,
                        .telling = std::nullopt};
  if (row.last_report) {
    if (auto const* const telling = telling_finding(*row.last_report)) {
      run.telling = history::words_of(*telling);
    }
  }
  entries.emplace_back(std::move(run));
  for (auto const& change : changes.findings) {
    entries.emplace_back(ChangeEntry{.probe = changes.probe,
                                     .at = at,
                                     .kind = kind_of(change.kind),
                                     .finding = history::words_of(change.finding),
                                     .was = change.was});
  }
  for (auto const& change : changes.versions) {
    entries.emplace_back(history::VersionEntry{.probe = changes.probe,
                                               .thing = change.thing,
                                               .at = at,
                                               .version = change.version,
                                               .was = change.was});
  }
  return entries;
}

history::MissedEntry missed_entry(std::string_view probe, SkipReason reason, std::uint64_t count,
                                  SysTime at) {
  return {.probe = std::string{probe},
          .why = std::string{to_text(reason)},
          .at = at,
          .count = static_cast<std::int64_t>(count)};
}

std::vector<history::Entry> entries_of_start(watchdog::PreviousRun const& previous,
                                             std::string_view version, SysTime at) {
  std::vector<history::Entry> entries;
  if (previous.known && !previous.clean) {
    entries.emplace_back(history::EventEntry{
        .kind = "unclean_end",
        .subject = std::string{to_text(previous.end)},
        .detail = previous.has_stall ? std::string{previous.stall.site.data()} : std::string{},
        .at = wall(previous.last_alive_wall_ns),
        .lasted = std::chrono::floor<milliseconds>(std::chrono::nanoseconds{previous.blind_ns})});
  }
  entries.emplace_back(history::EventEntry{
      .kind = "start", .subject = std::string{version}, .detail = "", .at = at});
  return entries;
}

history::EventEntry hang_event(watchdog::LastStall const& stall) {
  auto const& incident = stall.incident;
  std::string subject{to_text(incident.subject)};
  std::string_view const name{incident.name.data()};
  if (!name.empty() && name != subject) subject.append(" ").append(name);
  std::string detail{to_text(incident.level)};
  detail.append(", ").append(to_text(incident.verdict));
  std::string_view const site{stall.site.data()};
  if (!site.empty()) detail.append(", at ").append(site);
  return {.kind = "hang",
          .subject = std::move(subject),
          .detail = std::move(detail),
          .at = wall(stall.wall_ns),
          .lasted = std::chrono::floor<milliseconds>(std::chrono::nanoseconds{incident.age_ns})};
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/own_state.h"

#include <filesystem>
#include <string>

#include "config/harmless.h"
#include "daemon/publish/hang_metrics.h"
#include "daemon/publish/page/humane.h"
#include "daemon/watchdog/tell/current.h"

namespace canary::daemon {
namespace {

using watchdog::Level;

std::chrono::milliseconds whole(std::int64_t nanoseconds) {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::nanoseconds{nanoseconds});
}

SysTime wall(std::int64_t nanoseconds) { return SysTime{whole(nanoseconds)}; }

// "At its end, 2 h ago, its loop had run a handler for 12 s, of demo: async_wait probes/…".
std::string crash_text(watchdog::CrashRecord const& crash, SysTime now) {
  std::string text = "At its end, " + page::distance(wall(crash.ended_wall_ns), now);
  if (crash.handler_ns != 0) {
    text += ", its loop had run a handler for " + page::span(whole(crash.handler_ns));
    if (std::string_view const run{crash.run.data()}; !run.empty())
      text.append(", of ").append(run);
    if (std::string_view const site{crash.site.data()}; !site.empty()) {
      text.append(": ").append(site);
    }
  } else {
    text += ", its loop waited";
  }
  return text + ". " + page::count(crash.runs, "run") + " were going on.";
}

// "loop of demo, blocking_call, 2 h ago; async_wait probes/…".
std::string stall_text(watchdog::LastStall const& stall, SysTime now) {
  std::string text{to_text(stall.incident.subject)};
  std::string_view const name{stall.incident.name.data()};
  if (!name.empty() && name != text) text.append(" of ").append(name);
  text.append(", ").append(to_text(stall.incident.verdict));
  text.append(", ").append(page::distance(wall(stall.wall_ns), now));
  std::string_view const site{stall.site.data()};
  if (!site.empty()) text.append("; ").append(site);
  return text;
}

std::string_view what_comes(Level level) {
  if (level >= Level::dead) return "It ends itself now, and is started anew.";
  if (level >= Level::hung) {
    return "systemd is not fed any more; at watchdog.loop_dead it ends itself and is started anew.";
  }
  return "At watchdog.loop_hung it is not healthy any more, at watchdog.loop_dead it ends itself.";
}

void add_lag(page::OwnState& own, watchdog::Record const& record) {
  using Curve = watchdog::LoopCurve;
  std::int64_t const last = Curve::number_of(runtime::now_ns());
  own.lag.reserve(Curve::kPlaces);
  for (auto number = last - static_cast<std::int64_t>(Curve::kPlaces) + 1; number <= last;
       ++number) {
    auto const late = record.curve.at(number);
    own.lag.push_back(late ? std::optional{std::chrono::microseconds{*late}} : std::nullopt);
  }
  own.lag_suspect = whole(record.loop_suspect_ns.load());
  own.lag_stall = whole(record.loop_stall_ns.load());
}

}  // namespace

page::OwnState own_state(watchdog::Record const& record, runtime::Tables& tables, SysTime now) {
  page::OwnState own;
  auto const health = executor_health(record, tables);
  own.turns = health.ok;
  own.why = health.reason;
  auto const level = static_cast<Level>(record.executor_level.load());
  if (!own.turns) own.ladder = what_comes(level);
  if (level >= Level::stalled) own.level = to_text(level);
  if (auto const beat = tables.loop().beat_ns.load(); beat != 0) {
    own.beat_age_s = static_cast<double>(runtime::now_ns() - beat) / 1e9;
  }
  add_lag(own, record);
  for (auto const& incident : watchdog::current_incidents(record)) {
    if (incident.level < Level::stalled) continue;
    if (incident.subject == watchdog::Subject::run) own.stalled.emplace_back(incident.name.data());
    if (incident.subject == watchdog::Subject::loop) {
      own.verdict = to_text(incident.verdict);
      own.culprit = incident.name.data();
    }
  }
  watchdog::LastStall last;
  if (record.last_stall.known() && record.last_stall.load(last)) {
    own.last_stall = stall_text(last, now);
  } else if (record.previous.has_stall) {
    own.last_stall = stall_text(record.previous.stall, now) + " (before this start)";
  }
  auto const& previous = record.previous;
  if (previous.known && !previous.clean) {
    own.previous_run = "The process before ended unclean (" + std::string{to_text(previous.end)} +
                       "); nobody watched for " + page::span(whole(previous.blind_ns)) + ".";
  }
  if (previous.crash.known && previous.crash.in_run) {
    own.crash = make_harmless(crash_text(previous.crash, now), 1024);
    std::filesystem::path const dump{previous.crash.dump.data()};
    own.post_mortem = dump.stem().string();
  }
  for (auto const& name : watchdog::quarantined_probes(record)) own.quarantined.push_back(name);
  own.dumps = record.dumps_written.load();
  watchdog::DumpOutcome dump;
  if (record.last_dump.known() && record.last_dump.load(dump)) {
    own.last_dump = page::distance(wall(dump.wall_ns), now) + ": " + dump.path.data();
  }
  return own;
}

}  // namespace canary::daemon

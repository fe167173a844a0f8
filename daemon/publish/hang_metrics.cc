// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/hang_metrics.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "daemon/metrics/table.h"
#include "daemon/publish/exposition.h"
#include "daemon/watchdog/sample/tables_view.h"
#include "daemon/watchdog/tell/current.h"
#include "daemon/watchdog/tell/health.h"

namespace canary::daemon {
namespace {

using metrics::Metric;
using metrics::metric;
using std::memory_order_relaxed;
using watchdog::Level;
using watchdog::Subject;
using watchdog::Verdict;

// Upper bounds of the powers-of-two buckets that the tables count in: 1 ms, 2 ms, 4 ms, …
constexpr std::array<double, runtime::kLagBuckets - 1> kBounds = [] {
  std::array<double, runtime::kLagBuckets - 1> bounds{};
  double bound = 0.001;
  for (auto& each : bounds) {
    each = bound;
    bound *= 2;
  }
  return bounds;
}();
static_assert(watchdog::kTickBuckets == runtime::kLagBuckets);

double seconds(SysTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// The wall-clock instant of a monotonic one.
double instant(std::int64_t monotonic_ns, SysTime now) {
  return seconds(now) - static_cast<double>(runtime::now_ns() - monotonic_ns) / 1e9;
}

Histogram histogram_of(std::span<std::atomic<std::uint64_t> const> buckets, std::uint64_t sum_ns) {
  Histogram histogram{kBounds};
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    histogram.counts[i] = buckets[i].load(memory_order_relaxed);
  }
  histogram.sum_seconds = static_cast<double>(sum_ns) / 1e9;
  return histogram;
}

// "probes/fetch/client.cc:88", or the function where the line is not known.
std::string source_of(watchdog::Place const& place) {
  if (place.file == 0) return runtime::text_at(place.function);
  return std::string{runtime::text_at(place.file)} + ':' + std::to_string(place.line);
}

void executor(std::string& page, watchdog::Record const& record, runtime::Tables& tables,
              SysTime now) {
  auto const& loop = tables.loop();
  Family{page, metric("canaryd_executor_stalled")}.add({}, record.executor_stands() ? 1.0 : 0.0);
  Family{page, metric("canaryd_watchdog_stalled")}.add(
      {}, record.watchdog_stalled.load(memory_order_relaxed) != 0 ? 1.0 : 0.0);
  {
    Family stalls{page, metric("canaryd_executor_stalls_total")};
    for (std::size_t i = 1; i < watchdog::kVerdicts; ++i) {
      stalls.add({to_text(static_cast<Verdict>(i))},
                 static_cast<double>(record.verdicts[i].load(memory_order_relaxed)));
    }
  }
  if (auto const beat = loop.beat_ns.load(memory_order_relaxed); beat != 0) {
    Family{page, metric("canaryd_executor_last_heartbeat_timestamp_seconds")}.add(
        {}, instant(beat, now));
  }
  Family{page, metric("canaryd_executor_heartbeat_lag_seconds")}.add(
      {}, histogram_of(loop.lag, loop.lag_sum_ns.load(memory_order_relaxed)));
  if (auto const since = loop.handler_since_ns.load(memory_order_relaxed); since != 0) {
    Family{page, metric("canaryd_executor_current_handler_start_timestamp_seconds")}.add(
        {}, instant(since, now));
    if (record.executor_stalled()) {
      auto const place = watchdog::handler_place(tables);
      Family{page, metric("canaryd_executor_current_handler_info")}.add(
          {runtime::text_at(place.operation), source_of(place), place.name.data()}, 1.0);
    }
  }
  Family{page, metric("canaryd_executor_handlers_total")}.add(
      {}, static_cast<double>(loop.handlers.load(memory_order_relaxed)));
  double longest = 0;
  for (auto const& each : loop.longest) {
    longest = std::max(longest, static_cast<double>(each.nanoseconds.load(memory_order_relaxed)));
  }
  Family{page, metric("canaryd_executor_longest_handler_seconds")}.add({}, longest / 1e9);
  std::map<std::string, double> pending;
  for (auto const& operation : tables.operations()) {
    runtime::Operation now;
    if (operation.read(now) != runtime::OperationHead::pending) continue;
    ++pending[runtime::text_at(now.operation)];
  }
  Family operations{page, metric("canaryd_executor_pending_operations")};
  for (auto const& [kind, count] : pending) operations.add({kind}, count);
}

void probes(std::string& page, watchdog::Record const& record, Snapshot const& snapshot) {
  std::set<std::string> stalled;
  for (auto const& incident : watchdog::current_incidents(record)) {
    if (incident.subject == Subject::run && incident.level >= Level::stalled) {
      stalled.insert(incident.name.data());
    }
  }
  auto const quarantined = watchdog::quarantined_probes(record);
  std::set<std::string> const kept_out{quarantined.begin(), quarantined.end()};
  Family stalls{page, metric("canaryd_probe_stalled")};
  for (auto const* row : snapshot.probes) {
    if (!row->facts.enabled) continue;
    stalls.add({row->facts.name}, stalled.contains(row->facts.name) ? 1.0 : 0.0);
  }
  Family quarantine{page, metric("canaryd_probe_quarantined")};
  for (auto const* row : snapshot.probes) {
    if (!row->facts.enabled) continue;
    quarantine.add({row->facts.name}, kept_out.contains(row->facts.name) ? 1.0 : 0.0);
  }
}

// What is not told by canaryd_executor_stalled and canaryd_probe_stalled.
void subjects_now(std::string& page, watchdog::Record const& record) {
  std::multiset<Subject> stalled;
  for (auto const& incident : watchdog::current_incidents(record)) {
    if (incident.level >= Level::stalled) stalled.insert(incident.subject);
  }
  auto const standing = [&record](Subject subject) {
    return record.standing[static_cast<std::size_t>(subject)].load(memory_order_relaxed) != 0;
  };
  // One that stands still before anybody is at fault is one at the least.
  auto const files =
      std::max<std::size_t>(stalled.count(Subject::files), standing(Subject::files) ? 1 : 0);
  Family{page, metric("canaryd_files_stalled")}.add({}, static_cast<double>(files));
  Family family{page, metric("canaryd_subject_stalled")};
  for (std::size_t i = 0; i < watchdog::kSubjects; ++i) {
    auto const subject = static_cast<Subject>(i);
    if (!watchdog::is_part(subject)) continue;
    family.add({to_text(subject)}, standing(subject) || stalled.contains(subject) ? 1 : 0);
  }
}

void stalls(std::string& page, watchdog::Record const& record) {
  subjects_now(page, record);
  {
    Family family{page, metric("canaryd_stalls_total")};
    for (std::size_t subject = 0; subject < watchdog::kSubjects; ++subject) {
      for (std::size_t level = 1; level < watchdog::kLevels; ++level) {
        family.add({to_text(static_cast<Subject>(subject)), to_text(static_cast<Level>(level))},
                   static_cast<double>(record.stalls[subject][level].load(memory_order_relaxed)));
      }
    }
  }
  watchdog::LastStall last;
  bool known = record.last_stall.known() && record.last_stall.load(last);
  if (!known && record.previous.has_stall) {
    last = record.previous.stall;
    known = true;
  }
  if (known) {
    Family{page, metric("canaryd_last_stall_timestamp_seconds")}.add(
        {to_text(last.incident.subject), to_text(last.incident.verdict)},
        static_cast<double>(last.wall_ns) / 1e9);
  }
}

// What the process before left: in its memory of stalls, and in the tables that systemd kept.
void previous_run(std::string& page, watchdog::PreviousRun const& previous) {
  auto const& words = previous.crash;
  if (!previous.known && !words.known) return;
  bool const in_order = previous.end == watchdog::End::orderly;
  Family{page, metric("canaryd_previous_run_info")}.add(
      {to_text(previous.end), in_order ? "" : words.run.data(), in_order ? "" : words.site.data()},
      1);
  std::int64_t const ended = words.known ? words.ended_wall_ns : previous.last_alive_wall_ns;
  Family{page, metric("canaryd_previous_run_end_timestamp_seconds")}.add(
      {}, static_cast<double>(ended) / 1e9);
}

void watchdog_itself(std::string& page, watchdog::Record const& record, SysTime now) {
  auto const counter = [&](Metric const& family, std::atomic<std::uint64_t> const& value) {
    Family{page, family}.add({}, static_cast<double>(value.load(memory_order_relaxed)));
  };
  counter(metric("canaryd_watchdog_dumps_total"), record.dumps_written);
  counter(metric("canaryd_watchdog_dumps_suppressed_total"), record.dumps_suppressed);
  counter(metric("canaryd_watchdog_dumps_failed_total"), record.dumps_failed);
  Family{page, metric("canaryd_dump_helper_up")}.add(
      {}, record.dump_helper_up.load(memory_order_relaxed) != 0 ? 1.0 : 0.0);
  counter(metric("canaryd_dump_helper_restarts_total"), record.dump_helper_restarts);
  counter(metric("canaryd_watchdog_runs_cancelled_total"), record.runs_cancelled);
  counter(metric("canaryd_watchdog_lines_dropped_total"), record.lines_dropped);
  {
    Family family{page, metric("canaryd_watchdog_disturbances_total")};
    for (std::size_t i = 0; i < watchdog::kDisturbances; ++i) {
      family.add({to_text(static_cast<watchdog::Disturbance>(i))},
                 static_cast<double>(record.disturbances[i].load(memory_order_relaxed)));
    }
  }
  counter(metric("canaryd_watchdog_ticks_total"), record.ticks);
  Family{page, metric("canaryd_watchdog_lateness_seconds")}.add(
      {}, histogram_of(record.lateness, record.lateness_sum_ns.load(memory_order_relaxed)));
  if (auto const tick = record.tick_ns.load(memory_order_relaxed); tick != 0) {
    Family{page, metric("canaryd_watchdog_last_tick_timestamp_seconds")}.add({},
                                                                             instant(tick, now));
  }
  auto const& previous = record.previous;
  Family{page, metric("canaryd_last_exit_unclean")}.add(
      {}, previous.known && !previous.clean ? 1.0 : 0.0);
  previous_run(page, previous);
  Family{page, metric("canaryd_last_blind_seconds")}.add(
      {}, previous.known && !previous.clean ? static_cast<double>(previous.blind_ns) / 1e9 : 0.0);
  Family{page, metric("canaryd_unclean_restarts")}.add({}, static_cast<double>(previous.restarts));
}

// What the watchdog answered in the server's stead. This page is the server's own.
void emergency(std::string& page, watchdog::Record const& record) {
  Family{page, metric("canaryd_emergency_page")}.add({}, 0.0);
  Family answers{page, metric("canaryd_emergency_answers_total")};
  for (std::size_t i = 0; i < watchdog::kEmergencyPaths; ++i) {
    answers.add({to_text(static_cast<watchdog::EmergencyPath>(i))},
                static_cast<double>(record.emergency_answers[i].load(memory_order_relaxed)));
  }
}

bool is_copied(std::string_view name) {
  for (auto const& section : metrics::kSections) {
    for (auto const& row : section.metrics) {
      if (row.name == name) return row.emergency == metrics::Emergency::copied;
    }
  }
  return false;
}

}  // namespace

void append_hang_metrics(std::string& page, watchdog::Record const& record, runtime::Tables& tables,
                         Snapshot const& snapshot, SysTime now) {
  executor(page, record, tables, now);
  probes(page, record, snapshot);
  stalls(page, record);
  watchdog_itself(page, record, now);
  emergency(page, record);
}

std::string unchanging_metrics(std::string_view page) {
  std::string result;
  bool wanted = false;
  for (std::size_t at = 0; at < page.size();) {
    std::size_t const end = std::min(page.find('\n', at), page.size() - 1) + 1;
    auto line = page.substr(at, end - at);
    at = end;
    constexpr std::string_view kHelp = "# HELP ";
    if (line.starts_with(kHelp)) {
      auto const name = line.substr(kHelp.size(), line.find(' ', kHelp.size()) - kHelp.size());
      wanted = is_copied(name);
    }
    if (wanted) result += line;
  }
  return result;
}

ExecutorHealth liveness(watchdog::Record const& record) {
  auto const why = watchdog::why_not_live(record, runtime::now_ns());
  return {.ok = why.view().empty(), .reason = std::string{why.view()}};
}

ExecutorHealth executor_health(watchdog::Record const& record, runtime::Tables& tables) {
  constexpr std::int64_t kWatchdogDead = 5'000'000'000;
  std::int64_t const now = runtime::now_ns();
  auto const words = [](std::int64_t ns) {
    return std::to_string(std::max<std::int64_t>(0, ns) / 1'000'000'000) + " s";
  };
  if (std::int64_t const tick = record.tick_ns.load(std::memory_order_acquire);
      tick != 0 && now - tick > kWatchdogDead) {
    return {false, "the watchdog has not ticked for " + words(now - tick)};
  }
  std::int64_t const beat = tables.loop().beat_ns.load(std::memory_order_acquire);
  if (beat == 0) return {false, "the loop has not begun to turn"};
  if (auto lost = liveness(record); !lost.ok && !record.executor_stalled()) return lost;
  auto const stands = watchdog::why_it_stands(record, tables, now);
  if (!stands.view().empty()) return {false, std::string{stands.view()}};
  // One of the server's threads that is still alive makes this answer.
  if (auto const since = record.emergency_since_ns.load(std::memory_order_acquire); since != 0) {
    return {false, "the HTTP server hangs: for " + words(now - since) +
                       " the watchdog has answered in its stead"};
  }
  if (auto const part = watchdog::what_stands(record); !part.view().empty()) {
    return {false, std::string{part.view()}};
  }
  return {};
}

}  // namespace canary::daemon

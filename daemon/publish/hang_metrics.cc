// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/hang_metrics.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "daemon/publish/exposition.h"
#include "daemon/watchdog/current.h"
#include "daemon/watchdog/tables_view.h"

namespace canary::daemon {
namespace {

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

// "probes/http/client.cc:88", or the function where the line is not known.
std::string source_of(watchdog::Place const& place) {
  if (place.file == 0) return runtime::text_at(place.function);
  return std::string{runtime::text_at(place.file)} + ':' + std::to_string(place.line);
}

void executor(std::string& page, watchdog::Record const& record, runtime::Tables& tables,
              SysTime now) {
  auto const& loop = tables.loop();
  Family{page, FamilyType::gauge, "canaryd_executor_stalled", "1 while the loop does not turn."}
      .add({}, record.executor_stalled() ? 1.0 : 0.0);
  {
    Family stalls{page, FamilyType::counter, "canaryd_executor_stalls_total",
                  "Stalls of anybody, by what the watchdog made of them."};
    for (std::size_t i = 1; i < watchdog::kVerdicts; ++i) {
      stalls.add({{"verdict", std::string{to_text(static_cast<Verdict>(i))}}},
                 static_cast<double>(record.verdicts[i].load(memory_order_relaxed)));
    }
  }
  if (auto const beat = loop.beat_ns.load(memory_order_relaxed); beat != 0) {
    Family{page, FamilyType::gauge, "canaryd_executor_last_heartbeat_timestamp_seconds",
           "When a beat last came through the loop's queue."}
        .add({}, instant(beat, now));
  }
  Family{page, FamilyType::histogram, "canaryd_executor_heartbeat_lag_seconds",
         "How late beats came through the loop's queue."}
      .add({}, histogram_of(loop.lag, loop.lag_sum_ns.load(memory_order_relaxed)));
  if (auto const since = loop.handler_since_ns.load(memory_order_relaxed); since != 0) {
    Family{page, FamilyType::gauge, "canaryd_executor_current_handler_start_timestamp_seconds",
           "Since when the handler runs that runs now; absent while none does."}
        .add({}, instant(since, now));
    if (record.executor_stalled()) {
      auto const place = watchdog::handler_place(tables);
      Family{page, FamilyType::gauge, "canaryd_executor_current_handler_info",
             "Always 1: the handler that holds the loop, while it is stalled."}
          .add({{"operation", runtime::text_at(place.operation)},
                {"place", source_of(place)},
                {"run", place.name.data()}},
               1.0);
    }
  }
  Family{page, FamilyType::counter, "canaryd_executor_handlers_total", "Handlers that were run."}
      .add({}, static_cast<double>(loop.handlers.load(memory_order_relaxed)));
  double longest = 0;
  for (auto const& each : loop.longest) {
    longest = std::max(longest, static_cast<double>(each.nanoseconds.load(memory_order_relaxed)));
  }
  Family{page, FamilyType::gauge, "canaryd_executor_longest_handler_seconds",
         "The longest handler since the start that ended."}
      .add({}, longest / 1e9);
  std::map<std::string, double> pending;
  for (auto const& operation : tables.operations()) {
    runtime::Operation now;
    if (operation.read(now) != runtime::OperationHead::pending) continue;
    ++pending[runtime::text_at(now.operation)];
  }
  Family operations{page, FamilyType::gauge, "canaryd_executor_pending_operations",
                    "Operations that the loop waits for, by kind."};
  for (auto const& [kind, count] : pending) operations.add({{"kind", kind}}, count);
}

void probes(std::string& page, watchdog::Record const& record, Snapshot const& snapshot) {
  std::set<std::string> stalled;
  for (auto const& episode : watchdog::current_episodes(record)) {
    if (episode.subject == Subject::run && episode.level >= Level::stalled) {
      stalled.insert(episode.name.data());
    }
  }
  auto const quarantined = watchdog::quarantined_probes(record);
  std::set<std::string> const kept_out{quarantined.begin(), quarantined.end()};
  Family stalls{
      page, FamilyType::gauge, "canaryd_probe_stalled",
      "1 while the probe's run is stalled: no progress, or asked to end and still there."};
  for (auto const* row : snapshot.probes) {
    if (!row->facts.enabled) continue;
    stalls.add({{"probe", row->facts.name}}, stalled.contains(row->facts.name) ? 1.0 : 0.0);
  }
  Family quarantine{page, FamilyType::gauge, "canaryd_probe_quarantined",
                    "1 for a probe that is not run any more, because it stalled the loop again and "
                    "again."};
  for (auto const* row : snapshot.probes) {
    if (!row->facts.enabled) continue;
    quarantine.add({{"probe", row->facts.name}}, kept_out.contains(row->facts.name) ? 1.0 : 0.0);
  }
}

// What is not told by canaryd_executor_stalled and canaryd_probe_stalled.
void subjects_now(std::string& page, watchdog::Record const& record) {
  std::set<Subject> stalled;
  for (auto const& episode : watchdog::current_episodes(record)) {
    if (episode.level >= Level::stalled) stalled.insert(episode.subject);
  }
  Family family{page, FamilyType::gauge, "canaryd_subject_stalled",
                "1 while a part that probes share stands still."};
  for (std::size_t i = 0; i < watchdog::kSubjects; ++i) {
    auto const subject = static_cast<Subject>(i);
    if (!watchdog::is_shared_part(subject)) continue;
    family.add({{"subject", std::string{to_text(subject)}}}, stalled.contains(subject) ? 1 : 0);
  }
}

void stalls(std::string& page, watchdog::Record const& record) {
  subjects_now(page, record);
  {
    Family family{page, FamilyType::counter, "canaryd_stalls_total",
                  "How often a subject reached a level: suspect, stalled, hung, dead."};
    for (std::size_t subject = 0; subject < watchdog::kSubjects; ++subject) {
      for (std::size_t level = 1; level < watchdog::kLevels; ++level) {
        family.add({{"subject", std::string{to_text(static_cast<Subject>(subject))}},
                    {"level", std::string{to_text(static_cast<Level>(level))}}},
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
    Family{page, FamilyType::gauge, "canaryd_last_stall_timestamp_seconds",
           "When somebody last stalled; survives a restart."}
        .add({{"subject", std::string{to_text(last.episode.subject)}},
              {"verdict", std::string{to_text(last.episode.verdict)}}},
             static_cast<double>(last.wall_ns) / 1e9);
  }
}

// What the process before left: in its memory of stalls, and in the tables that systemd kept.
void previous_run(std::string& page, watchdog::PreviousRun const& previous) {
  auto const& words = previous.last_words;
  if (!previous.known && !words.known) return;
  bool const in_order = previous.end == watchdog::End::orderly;
  Family{page, FamilyType::gauge, "canaryd_previous_run_info",
         "How the process before this one ended, and in whose handler where it did so in one."}
      .add({{"end", std::string{to_text(previous.end)}},
            {"probe", in_order ? "" : words.run.data()},
            {"site", in_order ? "" : words.site.data()}},
           1);
  std::int64_t const ended = words.known ? words.ended_wall_ns : previous.last_alive_wall_ns;
  Family{page, FamilyType::gauge, "canaryd_previous_run_end_timestamp_seconds",
         "When the process before this one was last seen at work."}
      .add({}, static_cast<double>(ended) / 1e9);
}

void watchdog_itself(std::string& page, watchdog::Record const& record, SysTime now) {
  auto const counter = [&](char const* name, char const* help, std::uint64_t value) {
    Family{page, FamilyType::counter, name, help}.add({}, static_cast<double>(value));
  };
  counter("canaryd_watchdog_dumps_total", "Dumps written.",
          record.dumps_written.load(memory_order_relaxed));
  counter("canaryd_watchdog_dumps_suppressed_total",
          "Dumps not written, as the same stall went on.",
          record.dumps_suppressed.load(memory_order_relaxed));
  counter("canaryd_watchdog_dumps_failed_total", "Dumps that could not be written.",
          record.dumps_failed.load(memory_order_relaxed));
  counter("canaryd_watchdog_runs_cancelled_total", "Runs that the watchdog asked to end.",
          record.runs_cancelled.load(memory_order_relaxed));
  counter("canaryd_watchdog_lines_dropped_total", "Log lines of the watchdog that nobody took.",
          record.lines_dropped.load(memory_order_relaxed));
  {
    Family family{page, FamilyType::counter, "canaryd_watchdog_disturbances_total",
                  "What held the process and was nobody's fault."};
    for (std::size_t i = 0; i < watchdog::kDisturbances; ++i) {
      family.add({{"kind", std::string{to_text(static_cast<watchdog::Disturbance>(i))}}},
                 static_cast<double>(record.disturbances[i].load(memory_order_relaxed)));
    }
  }
  counter("canaryd_watchdog_ticks_total", "How often the watchdog looked.",
          record.ticks.load(memory_order_relaxed));
  Family{page, FamilyType::histogram, "canaryd_watchdog_lateness_seconds",
         "How late the watchdog woke."}
      .add({}, histogram_of(record.lateness, record.lateness_sum_ns.load(memory_order_relaxed)));
  if (auto const tick = record.tick_ns.load(memory_order_relaxed); tick != 0) {
    Family{page, FamilyType::gauge, "canaryd_watchdog_last_tick_timestamp_seconds",
           "When the watchdog last looked."}
        .add({}, instant(tick, now));
  }
  auto const& previous = record.previous;
  Family{page, FamilyType::gauge, "canaryd_last_exit_unclean",
         "1 when the process before this one ended without being asked to."}
      .add({}, previous.known && !previous.clean ? 1.0 : 0.0);
  previous_run(page, previous);
  Family{page, FamilyType::gauge, "canaryd_last_blind_seconds",
         "How long nobody watched before this start; 0 after a clean stop."}
      .add({},
           previous.known && !previous.clean ? static_cast<double>(previous.blind_ns) / 1e9 : 0.0);
  Family{page, FamilyType::gauge, "canaryd_unclean_restarts",
         "Unclean ends in a row before this start."}
      .add({}, static_cast<double>(previous.restarts));
}

// What the watchdog answered in the server's stead. This page is the server's own.
void emergency(std::string& page, watchdog::Record const& record) {
  Family{page, FamilyType::gauge, "canaryd_emergency_page",
         "1 on the page that the watchdog gives while the server hangs."}
      .add({}, 0.0);
  Family answers{page, FamilyType::counter, "canaryd_emergency_answers_total",
                 "Requests that were answered in the server's stead, by path."};
  for (std::size_t i = 0; i < watchdog::kEmergencyPaths; ++i) {
    answers.add({{"handler", std::string{to_text(static_cast<watchdog::EmergencyPath>(i))}}},
                static_cast<double>(record.emergency_answers[i].load(memory_order_relaxed)));
  }
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
  constexpr std::array<std::string_view, 7> kFamilies{"canaryd_build_info",
                                                      "process_start_time_seconds",
                                                      "canaryd_last_exit_unclean",
                                                      "canaryd_last_blind_seconds",
                                                      "canaryd_unclean_restarts",
                                                      "canaryd_previous_run_info",
                                                      "canaryd_previous_run_end_timestamp_seconds"};
  std::string result;
  bool wanted = false;
  for (std::size_t at = 0; at < page.size();) {
    std::size_t const end = std::min(page.find('\n', at), page.size() - 1) + 1;
    auto line = page.substr(at, end - at);
    at = end;
    constexpr std::string_view kHelp = "# HELP ";
    if (line.starts_with(kHelp)) {
      auto const name = line.substr(kHelp.size(), line.find(' ', kHelp.size()) - kHelp.size());
      wanted = std::ranges::find(kFamilies, name) != kFamilies.end();
    }
    if (wanted) result += line;
  }
  return result;
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
  if (record.executor_stalled()) {
    auto const verdict = static_cast<Verdict>(record.executor_verdict.load(memory_order_relaxed));
    return {false, "the loop has not turned for " + words(now - beat) + " (" +
                       std::string{to_text(verdict)} + ")"};
  }
  // One of the server's threads that is still alive makes this answer.
  if (auto const since = record.emergency_since_ns.load(std::memory_order_acquire); since != 0) {
    return {false, "the HTTP server hangs: for " + words(now - since) +
                       " the watchdog has answered in its stead"};
  }
  return {};
}

}  // namespace canary::daemon

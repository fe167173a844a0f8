// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/services.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <set>
#include <source_location>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/app/history_notes.h"
#include "daemon/app/watch_the_watchdog.h"
#include "daemon/text/some_of.h"
#include "probes/kind.h"
#include "runtime/beat.h"
#include "runtime/cancel_listener.h"
#include "runtime/contract.h"
#include "runtime/crash.h"

namespace canary::daemon {
namespace {

using runtime::Deadline;
using runtime::Task;
using namespace std::chrono_literals;

constexpr auto kDescribe = 2s;
constexpr auto kBeat = 100ms;
constexpr auto kTend = 1s;
// Threads that may be at the state directory at once: a disk that takes its time with fsync(2)
// takes many of them together. One folder of it has one at a time.
constexpr std::size_t kStateThreads = 24;
constexpr auto kStands = 1s;       // a thread in one job for so long waits for a disk
constexpr auto kStateSilent = 5s;  // for one job there
constexpr auto kLastWrites = 2s;   // for what is still to be written down at the end

std::size_t worker_count(config::Config const& config) {
  if (config.workers > 0) return static_cast<std::size_t>(config.workers);
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
}

void tell(Log& log, runtime::PoolTrouble const& trouble) {
  if (trouble.kind == runtime::PoolTrouble::Kind::ended) {
    log.error("a thread ended, and was replaced",
              {{"thread", trouble.thread}, {"detail", runtime::sentence(trouble)}});
  } else {
    log.warn("a disk does not answer; the thread that waits for it is left to itself",
             {{"thread", trouble.thread}, {"detail", runtime::sentence(trouble)}});
  }
}

history::Bounds bounds_of(config::HistorySettings const& settings) {
  return {.keep = settings.keep, .bytes = settings.bytes};
}

// Without it the loop would turn for nothing, and every page would call that healthy.
[[noreturn]] void end_with_a_task(Log& log, std::string_view task, std::string_view why) {
  log.error("a task of the loop ended; ending the process", {{"task", task}, {"detail", why}});
  log.flush(1s);
  runtime::end_by_defect("a task of the loop ended");
}

}  // namespace

SysTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::filesystem::path saved_directory(config::Config const& config) {
  return config.state_directory / "results";
}

Services::Services(config::Config const& config, std::string config_file,
                   runtime::Executor executor, Log& log, watchdog::Watchdog& watchdog)
    : log_(log),
      watchdog_(watchdog),
      places_(places(config.state_directory)),
      executor_(executor),
      cpu_("cpu", worker_count(config)),
      disk_({.name = "disk",
             .threads = kStateThreads,
             .kind = runtime::ThreadRecord::disk,
             .as_needed = true}),
      http_(cpu_, files_),
      results_(DaemonFacts{
          .version = CANARY_VERSION, .started = wall_now(), .config_file = std::move(config_file)}),
      run_probe_(
          [this](config::ProbeSpec spec, Deadline deadline, runtime::Trace trace,
                 probes::Report& report) { return run(std::move(spec), deadline, trace, report); }),
      keeper_(executor, disk_, results_, log, saved_directory(config)),
      history_(executor, log, config.state_directory / history::kFileName,
               bounds_of(config.history)),
      removed_({.disk = disk_,
                .results = results_,
                .log = log,
                .places = places_,
                .results_directory = saved_directory(config),
                .note = [this](history::EventEntry entry) { history_.note(std::move(entry)); },
                .wall_clock = wall_now}),
      scheduler_(
          executor, config.scheduler,
          [this](config::ProbeSpec spec, Deadline deadline, runtime::Trace trace,
                 probes::Report& report) {
            return run_probe_(std::move(spec), deadline, trace, report);
          },
          results_, log),
      changes_(executor),
      tasks_(executor, [&log](std::string_view task, std::string_view why) {
        end_with_a_task(log, task, why);
      }) {
  auto const told = [&log](runtime::PoolTrouble const& trouble) { tell(log, trouble); };
  cpu_.set_told(told);
  disk_.set_told(told);
  files_.set_told(told);
  scheduler_.set_quarantine(
      [this](std::string_view probe) { return watchdog_.quarantined(probe); });
  history_.set_told(told);
  scheduler_.set_ended([this](Changes const& changes) {
    keeper_.note(changes);
    remember(changes);
  });
  scheduler_.set_skipped([this](std::string_view probe, SkipReason reason, std::uint64_t count) {
    history_.note(missed_entry(probe, reason, count, wall_now()));
  });
}

void Services::put_around_runs(std::function<RunProbe(RunProbe, AppParts)> const& around,
                               runtime::Loop& loop, Log& log) {
  run_probe_ = around(run_probe_, AppParts{loop, cpu_, disk_, files_, scheduler_, results_, log});
}

void Services::send_metrics(config::RemoteWriteSettings settings,
                            std::function<std::string()> page) {
  remote_write_.emplace(push::RemoteWrite::Setup{.settings = std::move(settings),
                                                 .executor = executor_,
                                                 .http = http_,
                                                 .log = log_,
                                                 .page = std::move(page),
                                                 .wall_clock = wall_now});
}

std::optional<push::Counts> Services::pushed() const {
  if (!remote_write_) return std::nullopt;
  return remote_write_->counts();
}

Task<void> Services::send_last_metrics() {
  auto const left = co_await remote_write_->finish(Deadline::after(kLastWrites));
  if (left == 0) co_return;
  log_.warn("metrics could not be sent before the end and are lost", {{"samples", left}});
}

Task<void> Services::start(config::Config config, SavedStates saved,
                           std::vector<ListInForce> lists) {
  auto const sources = config.discovery;
  co_await see_through(apply(std::make_shared<config::Config const>(std::move(config)),
                             std::move(saved), Change::configuration),
                       std::make_shared<std::atomic<bool>>(false));
  if (discovery_) discovery_->configure(sources, lists);
  for (auto& entry : entries_of_start(watchdog_.record().previous, CANARY_VERSION, wall_now())) {
    history_.note(std::move(entry));
  }
  tasks_.start("beat", runtime::beat(kBeat));
  runtime::CancelRun cancel = [this](std::uint16_t run, std::uint32_t generation) {
    scheduler_.cancel(run, generation);
  };
  tasks_.start("cancel",
               runtime::listen_for_cancels(watchdog_.cancel_descriptor(), std::move(cancel)));
  tasks_.start("scheduler", schedule());
  scheduling_ = true;
  tasks_.start("describe", describe());
  tasks_.start("state", keeper_.keep());
  tasks_.start("history", history_.keep());
  tasks_.start("removed_probes", removed_.tend());
  tasks_.start("watchdog", watch_the_watchdog(watchdog_, log_));
  tasks_.start("threads", tend_threads());
  if (remote_write_) {
    tasks_.start("remote_write.collect", remote_write_->collect());
    tasks_.start("remote_write.send", remote_write_->send());
  }
  if (web_files_) tasks_.start("web.files", watch_web_files(*web_files_, files_));
}

Task<void> Services::reconfigure(config::Config config, SavedStates saved,
                                 std::vector<ListInForce> lists, Decided decided) {
  return see_through(reconfigure_now(std::move(config), std::move(saved), std::move(lists)),
                     std::move(decided));
}

Task<void> Services::reconfigure_now(config::Config config, SavedStates saved,
                                     std::vector<ListInForce> lists) {
  config_refused_ = web_refused_ = false;
  history_.set_bounds(bounds_of(config.history));
  auto const sources = config.discovery;
  co_await apply(std::make_shared<config::Config const>(std::move(config)), std::move(saved),
                 Change::configuration);
  if (discovery_) discovery_->configure(sources, lists);
  history_.note(
      history::EventEntry{.kind = "reload", .subject = "", .detail = "", .at = wall_now()});
}

Task<void> Services::refuse(std::string why) {
  config_refused_ = true;
  note_refusal(std::move(why));
  co_return;
}

void Services::web_files_refused(std::string why) {
  web_refused_ = true;
  note_refusal(std::move(why));
}

// A reload that was refused stays so until the next one.
void Services::web_files_accepted() {
  if (!std::exchange(web_refused_, false) || config_refused_) return;
  results_.config_accepted(wall_now());
}

void Services::note_refusal(std::string why) {
  history_.note(history::EventEntry{
      .kind = "reload_refused", .subject = "", .detail = why, .at = wall_now()});
  results_.config_refused(wall_now(), std::move(why));
}

Task<bool> Services::stop() {
  while (changing_) co_await runtime::sleep_until({}, "app.stop", Deadline::after(1ms));
  tasks_.may_end();
  scheduler_.request_stop();
  while (scheduling_ && !scheduler_ended_) {  // a start may be ended before
    co_await runtime::sleep_until({}, "app.stop", Deadline::after(5ms));
  }
  tasks_.request_stop();
  if (discovery_) co_await discovery_->stop();
  co_await tasks_.join();
  if (remote_write_) co_await send_last_metrics();
  co_await keeper_.finish(Deadline::after(kLastWrites));
  history_.note(history::EventEntry{.kind = "stop", .subject = "", .detail = "", .at = wall_now()});
  bool const history = co_await history_.finish(Deadline::after(kLastWrites));
  tell_of_unwritten(history);
  co_return scheduler_ended_.value_or(true);
}

// To its end, also where the one that waits for it is cancelled meanwhile; one after the other.
Task<void> Services::see_through(Task<void> work, Decided decided) {
  if (decided->exchange(true)) co_return;
  while (std::exchange(changing_, true)) {
    co_await runtime::sleep_until({}, "app.change", Deadline::after(1ms));
  }
  changes_.start(through(std::move(work)));
  while (changing_) co_await runtime::sleep_until({}, "app.change", Deadline::after(1ms));
}

Task<void> Services::through(Task<void> work) {
  try {
    co_await std::move(work);
  } catch (...) {  // no memory: a process that starts anew is better than one with half of each
    runtime::broken_promise("a configuration is taken over whole", std::source_location::current());
  }
  changing_ = false;
}

void Services::accepted(config::Config const& config) {
  results_.config_accepted(
      wall_now(), {.full_metrics = config.metrics.detail == config::MetricsSettings::Detail::full,
                   .shard = config.shard,
                   .elsewhere = config.elsewhere,
                   .vantage = config.vantage});
}

// Probe by probe, in turns with whatever else the loop has to do: of each everything at once.
Task<void> Services::apply(std::shared_ptr<config::Config const> config, SavedStates saved,
                           Change change) {
  runtime::Turn turn;
  std::set<std::string_view> known, watched;
  for (auto const& spec : config->probes) {
    known.insert(spec.name.text);
    if (spec.enabled) watched.insert(spec.name.text);
    if (turn.over()) co_await turn.pass({});
  }
  scheduler_.set(config->scheduler);
  removed_.set(config->removed_probes);
  for (auto const& name : scheduler_.names()) {
    if (!watched.contains(name)) scheduler_.drop(name);
    if (turn.over()) co_await turn.pass({});
  }
  std::vector<std::string> names;
  names.reserve(config->probes.size());
  for (auto const& spec : config->probes) {
    auto const& declaration = probes::declaration_of(spec.kind.name());
    results_.put(facts_of(spec, declaration, config->maintenance), saved);
    if (spec.enabled) scheduler_.put(std::make_shared<config::ProbeSpec const>(spec));
    names.push_back(spec.name.text);
    if (turn.over()) co_await turn.pass({});
  }
  results_.arrange(names);
  std::erase_if(memories_, [&known](auto const& each) { return !known.contains(each.first); });
  if (change == Change::lists) {
    results_.elsewhere(config->elsewhere);
  } else {
    accepted(*config);
  }
  cpu_.retire(std::move(config));
}

Task<void> Services::schedule() { scheduler_ended_ = co_await scheduler_.run(); }

// Without memory for it the sentence of before stands until the next time.
void Services::describe_now() {
  try {
    watchdog_.describe(sentence());
  } catch (std::bad_alloc const&) {
    return;
  }
}

// What `systemctl status` shows while all is well.
Task<void> Services::describe() {
  while (true) {
    describe_now();
    co_await runtime::sleep_until({}, "app.describe", Deadline::after(kDescribe));
  }
}

// Threads that ended or stand still are noticed, although nobody may be waiting for them.
Task<void> Services::tend_threads() {
  while (true) {
    for (auto* const pool : {&cpu_, &disk_}) pool->look();
    files_.look();
    history_.look();
    remember_hangs();
    tell_of_state_directory();
    co_await runtime::sleep_until({}, "app.threads", Deadline::after(kTend));
  }
}

void Services::remember(Changes const& changes) {
  auto const row = results_.row(changes.probe);
  if (!row) return;
  for (auto& entry : entries_of(changes, *row)) history_.note(std::move(entry));
}

void Services::remember_hangs() {
  auto const& record = watchdog_.record();
  watchdog::LastStall last;
  if (!record.last_stall.known() || !record.last_stall.load(last)) return;
  if (last.wall_ns == std::exchange(last_hang_ns_, last.wall_ns)) return;
  history_.note(hang_event(last));
}

void Services::tell_of_state_directory() {
  auto const job = disk_.longest();
  bool const silent = job && job->lasted >= kStateSilent;
  if (silent == std::exchange(state_silent_, silent)) return;
  if (silent) {
    log_.warn("the state directory does not answer; what is verified is remembered in memory only",
              {{"directory", places_.state.string()}, {"detail", runtime::sentence(*job)}});
  } else {
    log_.info("the state directory answers again", {{"directory", places_.state.string()}});
  }
}

// What the next start will not know, by name.
void Services::tell_of_unwritten(bool history) {
  auto const results = keeper_.unwritten();
  std::vector<std::string> trusted;
  for (auto const& [probe, memory] : memories_) {
    auto const* const kind = probes::find_kind(memory.kind);
    if (kind == nullptr) continue;
    for (auto const& file : kind->unwritten(*memory.kept)) {
      trusted.push_back(std::string{probe}.append("/").append(file));
    }
  }
  if (results.empty() && trusted.empty() && history) return;
  log_.warn("the state directory did not take in time what was to be remembered",
            {{"directory", places_.state.string()},
             {"results", some_of(results)},
             {"trusted_metadata", some_of(trusted)},
             {"history", history ? "written" : "unwritten"}});
}

std::vector<std::string> Services::standing() const {
  std::vector<std::string> all;
  for (auto const& job : files_.standing()) all.push_back(runtime::sentence(job));
  auto const job = disk_.longest();
  if (job && job->lasted >= kStands) all.push_back(runtime::sentence(*job));
  return all;
}

std::string Services::sentence() const {
  auto const reading = results_.read();
  std::size_t enabled = 0, ok = 0, failing = 0;
  for (auto const* row : reading->probes) {
    if (!row->facts.enabled) continue;
    ++enabled;
    if (auto const success = row->success()) ++(*success ? ok : failing);
  }
  std::string text =
      "monitoring: " + std::to_string(ok) + " of " + std::to_string(enabled) + " probes are well";
  if (failing > 0) text += ", " + std::to_string(failing) + " failing";
  return text;
}

Task<void> Services::run(config::ProbeSpec spec, Deadline deadline, runtime::Trace trace,
                         probes::Report& report) {
  probes::Progress progress;
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto& memory = memories_[spec.name.text];
  memory.kind = probes::declaration_of(spec.kind.name()).kind;
  probes::ProbeContext context{.http = http_,
                               .cpu = cpu_,
                               .disk = disk_,
                               .state_directory = places_.probe(spec.name.text),
                               .now = now,
                               .deadline = deadline,
                               .trace = trace,
                               .report = report,
                               .progress = progress,
                               .memory = memory.kept};
  co_await probes::run_probe(std::move(spec), context);
}

}  // namespace canary::daemon

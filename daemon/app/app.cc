// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/app.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "config/duration.h"
#include "daemon/app/descriptor_shares.h"
#include "daemon/app/dumps.h"
#include "daemon/app/last_run.h"
#include "daemon/app/places.h"
#include "daemon/app/state_keeper.h"
#include "daemon/app/state_lock.h"
#include "daemon/app/writable.h"
#include "daemon/log/log.h"
#include "daemon/publish/hang_metrics.h"
#include "daemon/publish/server.h"
#include "daemon/results/store.h"
#include "daemon/schedule/scheduler.h"
#include "daemon/watchdog/log_lines.h"
#include "daemon/watchdog/server_address.h"
#include "daemon/watchdog/watchdog.h"
#include "probes/http/services.h"
#include "probes/probe.h"
#include "runtime/beat.h"
#include "runtime/block_on.h"
#include "runtime/cancel_listener.h"
#include "runtime/limits.h"
#include "runtime/loop.h"
#include "runtime/task_group.h"
#include "runtime/workers.h"

namespace canary::daemon {
namespace {

using runtime::Deadline;
using runtime::Task;
using namespace std::chrono_literals;

constexpr auto kDescribe = 2s;
constexpr auto kBeat = 100ms;
constexpr int kArenas = 128;
constexpr auto kLoopAnswers = 10s;  // for what main asks the loop to do
constexpr auto kLastWrites = 2s;    // for what is still to be written down at the end
constexpr auto kStopMargin = 5s;    // beyond that the watchdog ends a stop that hangs

SysTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::size_t worker_count(config::Config const& config) {
  if (config.workers > 0) return static_cast<std::size_t>(config.workers);
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
}

std::vector<ProbeFacts> facts_of_all(config::Config const& config) {
  std::vector<ProbeFacts> facts;
  facts.reserve(config.probes.size());
  for (auto const& spec : config.probes) facts.push_back(facts_of(spec));
  return facts;
}

std::filesystem::path saved_directory(config::Config const& config) {
  return config.state_directory / "results";
}

// Of those that `known` does not have.
SavedStates saved_states(config::Config const& fresh, config::Config const* known, Log& log) {
  std::unordered_set<std::string_view> names;
  if (known != nullptr) {
    for (auto const& spec : known->probes) names.insert(spec.name.text);
  }
  std::vector<config::ProbeSpec> probes;
  for (auto const& spec : fresh.probes) {
    if (!names.contains(spec.name.text)) probes.push_back(spec);
  }
  // A reload does not move the state directory.
  return load_saved_states(saved_directory(known != nullptr ? *known : fresh), probes, log);
}

std::chrono::milliseconds longest_lookup(config::Config const& config) {
  std::chrono::milliseconds longest{1'000};
  for (auto const& probe : config.probes) {
    longest = std::max(longest, probe.http.resolve_timeout);
  }
  return longest;
}

// Everything that lives on the loop, in the order it needs each other.
class Services {
 public:
  Services(config::Config const& config, std::string config_file, runtime::Executor executor,
           Log& log, watchdog::Watchdog& watchdog)
      : watchdog_(watchdog),
        places_(places(config.state_directory)),
        cpu_("cpu", worker_count(config)),
        disk_("disk", 1, runtime::ThreadRecord::disk),
        http_(cpu_, disk_),
        results_(DaemonFacts{.version = CANARY_VERSION,
                             .started = wall_now(),
                             .config_file = std::move(config_file)}),
        keeper_(executor, disk_, results_, log, saved_directory(config)),
        scheduler_(
            executor, config.scheduler,
            [this](config::ProbeSpec spec, Deadline deadline, runtime::Trace trace,
                   probes::Report& report) {
              return run_probe_(std::move(spec), deadline, trace, report);
            },
            results_, log),
        tasks_(executor) {
    scheduler_.set_quarantine(
        [this](std::string_view probe) { return watchdog_.quarantined(probe); });
    scheduler_.set_ended([this](Changes const& changes) { keeper_.note(changes); });
  }

  // Before the start.
  void put_around_runs(std::function<RunProbe(RunProbe, AppParts)> const& around,
                       runtime::Loop& loop, Log& log) {
    run_probe_ = around(run_probe_, AppParts{loop, cpu_, disk_, scheduler_, results_, log});
  }

  ResultStore const& results() const { return results_; }

  // These run on the loop.
  Task<void> start(config::Config config, SavedStates saved) {
    apply(config, std::move(saved));
    tasks_.start(runtime::beat(kBeat));
    runtime::CancelRun cancel = [this](std::uint16_t run, std::uint32_t generation) {
      scheduler_.cancel(run, generation);
    };
    tasks_.start(runtime::listen_for_cancels(watchdog_.cancel_descriptor(), std::move(cancel)));
    tasks_.start(schedule());
    tasks_.start(describe());
    tasks_.start(keeper_.keep());
    co_return;
  }
  Task<void> reconfigure(config::Config config, SavedStates saved) {
    apply(config, std::move(saved));
    co_return;
  }
  Task<void> refuse(std::string why) {
    results_.config_refused(wall_now(), std::move(why));
    co_return;
  }
  // True when every run has unwound.
  Task<bool> stop() {
    scheduler_.request_stop();
    while (!scheduler_ended_) {
      co_await runtime::sleep_until({}, "app.stop", Deadline::after(5ms));
    }
    tasks_.request_stop();
    co_await tasks_.join({});
    co_await keeper_.finish(Deadline::after(kLastWrites));
    co_return *scheduler_ended_;
  }

 private:
  void apply(config::Config const& config, SavedStates saved) {
    results_.configure(facts_of_all(config), std::move(saved));
    results_.config_accepted(wall_now());
    scheduler_.configure(config.probes, config.scheduler);
  }

  Task<void> schedule() { scheduler_ended_ = co_await scheduler_.run(); }

  // What `systemctl status` shows while all is well.
  Task<void> describe() {
    while (true) {
      watchdog_.describe(sentence());
      co_await runtime::sleep_until({}, "app.describe", Deadline::after(kDescribe));
    }
  }

  std::string sentence() const {
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

  Task<void> run(config::ProbeSpec spec, Deadline deadline, runtime::Trace trace,
                 probes::Report& report) {
    probes::Progress progress;
    auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    probes::ProbeContext context{.http = http_,
                                 .cpu = cpu_,
                                 .disk = disk_,
                                 .state_directory = places_.probe(spec.name.text),
                                 .now = now,
                                 .deadline = deadline,
                                 .trace = trace,
                                 .report = report,
                                 .progress = progress};
    co_await probes::run_probe(std::move(spec), context);
  }

  watchdog::Watchdog& watchdog_;
  Places places_;
  runtime::Workers cpu_, disk_;
  http::Services http_;
  ResultStore results_;
  RunProbe run_probe_ = [this](config::ProbeSpec spec, Deadline deadline, runtime::Trace trace,
                               probes::Report& report) {
    return run(std::move(spec), deadline, trace, report);
  };
  StateKeeper keeper_;
  Scheduler scheduler_;
  std::optional<bool> scheduler_ended_;
  runtime::TaskGroup tasks_;  // last: its tasks use all of the above
};

void log_problems(Log& log, std::vector<config::Problem> const& problems) {
  for (auto const& problem : problems) {
    log.error("configuration refused, the running one stays", {{"problem", to_text(problem)}});
  }
}

// What a reload cannot change without a restart.
void warn_of_restart(Log& log, config::Config const& old, config::Config const& fresh) {
  auto const warn = [&log](char const* field) {
    log.warn("a changed setting takes effect at the next restart", {{"field", field}});
  };
  if (!(old.web == fresh.web)) warn("web");
  if (old.state_directory != fresh.state_directory) warn("state_directory");
  if (old.workers != fresh.workers) warn("workers");
}

class App {
 public:
  App(AppOptions options, StateLock lock, std::size_t descriptors)
      : options_(std::move(options)),
        descriptors_(descriptors),
        places_(places(options_.config.state_directory)),
        lock_(std::move(lock)),
        dumps_(options_.config, places_),
        log_(options_.config.log),
        watchdog_({.settings = options_.config.watchdog,
                   .memory_directory = places_.runtime,
                   .dumper = dumps_.dumper(),
                   .last_words = dumps_.black_box().words}),
        services_(std::make_unique<Services>(options_.config, options_.config_file,
                                             loop_.executor(), log_, watchdog_)) {
    if (options_.around_runs) services_->put_around_runs(options_.around_runs, loop_, log_);
    dumps_.read_log(log_);
    watchdog_.set_resolve_limit(longest_lookup(options_.config));
  }

  // The watchdog watches to the last; then whatever it reads for a dump may go, and only when it
  // has ended may the log stop asking it for lines.
  ~App() {
    server_.reset();
    services_.reset();
    loop_.stop();
    loop_.join();
    watchdog_.end();
    log_.drop_source();
  }
  App(App const&) = delete;
  App& operator=(App const&) = delete;

  // False, after a line in the log, when the daemon cannot run or serve.
  bool start() {
    log_.add_source(watchdog::log_source(watchdog_.lines()));
    try {
      return start_all();
    } catch (std::exception const& failed) {
      log_.error("cannot start", {{"detail", runtime::explain(failed)}});
      return false;
    }
  }

  bool start_all() {
    watchdog_.progressed("preparing " + options_.config.state_directory.string());
    tell_of_folders();
    tell_of_the_last_run(log_, watchdog_, dumps_, options_.config);
    watchdog_.progressed("starting the loop");
    loop_.start();
    watchdog_.progressed("scheduling " + std::to_string(options_.config.probes.size()) + " probes");
    auto const fitted = fit(options_.config);
    auto saved = saved_states(options_.config, nullptr, log_);
    ask(services_->start(fitted, std::move(saved)));
    watchdog_.progressed("opening the listeners");
    std::string const private_path = private_socket();
    auto server = Server::start(fitted.web, sources(), private_path);
    if (!server) {
      log_.error("cannot serve metrics", {{"detail", server.error()}});
      return false;
    }
    server_ = std::move(server).value();
    for (auto const& address : server_->addresses()) {
      log_.info("listening", {{"address", address}});
    }
    log_.info("monitoring", {{"version", CANARY_VERSION},
                             {"probes", options_.config.probes.size()},
                             {"config", options_.config_file}});
    watch_server(private_path);
    if (!dumps_.trouble().empty()) {
      log_.warn("dumps will be poorer than they could be", {{"detail", dumps_.trouble()}});
    }
    watchdog_.progressed("waiting for the loop's first beat");
    watchdog_.ready();
    if (options_.started) options_.started(server_->addresses());
    return true;
  }

  void out_of_cpu_time() {
    log_.error("the limit of CPU time is reached (RLIMIT_CPU); stopping before the kernel ends us");
  }
  void tell_of_signal(int signal) {
    log_.warn("a signal that means nothing to canaryd was ignored",
              {{"signal", ::sigabbrev_np(signal)}});
  }

  // What is going on, into a file that the log names.
  void dump() { watchdog_.request_dump(); }

  void reload() {
    if (!options_.reload) return;
    watchdog_.reloading();
    watchdog_.progressed("reading " + options_.config_file);
    try {
      reload_now();
    } catch (std::exception const& failed) {
      log_.error("the loop did not take the configuration in time; the running one stays",
                 {{"detail", failed.what()}});
    }
    watchdog_.reloaded();
  }

  void reload_now() {
    auto fresh = options_.reload();
    if (!fresh) {
      log_problems(log_, fresh.error());
      ask(services_->refuse(to_text(fresh.error().front())));
      return;
    }
    watchdog_.progressed("scheduling " + std::to_string(fresh.value().probes.size()) + " probes");
    warn_of_restart(log_, options_.config, fresh.value());
    log_.configure(fresh.value().log);
    watchdog_.set_settings(fresh.value().watchdog);
    watchdog_.set_resolve_limit(longest_lookup(fresh.value()));
    watchdog_.lift_quarantine();
    auto saved = saved_states(fresh.value(), &options_.config, log_);
    ask(services_->reconfigure(fit(fresh.value()), std::move(saved)));
    options_.config = std::move(fresh).value();
    log_.info("configuration reloaded", {{"probes", options_.config.probes.size()}});
  }

  // Exit code. A loop that does not answer ends the process here and now.
  int stop() {
    log_.info("stopping");
    auto const limit = options_.config.scheduler.stop_timeout + kLoopAnswers;
    watchdog_.progressed("waiting for the runs that go on");
    watchdog_.stopping(limit + kStopMargin);
    bool clean = false;
    watchdog_.leave_server_alone();
    if (!loop_.running()) return kExitFailure;  // it was never started
    try {
      clean = runtime::block_on(loop_, services_->stop(), Deadline::after(limit));
    } catch (std::exception const& failed) {
      log_.error("the loop did not stop in time; ending the process", {{"detail", failed.what()}});
      log_.flush(1s);
      ::_exit(kExitFailure);
    }
    watchdog_.progressed("closing the listeners");
    if (server_) server_->stop();
    log_.info("stopped", {{"clean", clean}});
    // A run that did not unwind still uses what would be destroyed here.
    if (!clean) {
      log_.flush(1s);
      ::_exit(kExitFailure);
    }
    watchdog_.progressed("ending the loop");
    loop_.stop();
    loop_.join();
    watchdog_.progressed("finishing what is to be written to the disk");
    return kExitClean;
  }

 private:
  void ask(Task<void> work) {
    runtime::block_on(loop_, std::move(work), Deadline::after(kLoopAnswers));
  }

  Sources sources() {
    auto const& record = watchdog_.record();
    return {.store = services_->results(),
            .live =
                [&record] {
                  auto const health = executor_health(record, *runtime::tables());
                  return Health{health.ok, health.reason};
                },
            .log_lines_dropped = [this] { return log_.dropped(); },
            .wall_clock = wall_now,
            .hang_metrics =
                [&record](std::string& page, Snapshot const& snapshot, SysTime now) {
                  append_hang_metrics(page, record, *runtime::tables(), snapshot, now);
                },
            .hangs = [&record](SysTime now) { return hangs_json(record, *runtime::tables(), now); },
            .executor_text = [this] { return dumps_.text_now(watchdog_.record()); },
            .executor_json = [this] { return dumps_.json_now(watchdog_.record()); },
            .full_dump = [this] { return dumps_.full(watchdog_); },
            .told_full = [this](std::string_view address, std::size_t most,
                                bool full) { tell_of_full(address, most, full); },
            .answering = &watchdog_.answering()};
  }

  void tell_of_full(std::string_view address, std::size_t most, bool full) {
    LogFields const where{{"address", address}, {"max_connections", most}};
    if (full) {
      log_.warn("the HTTP server is full: clients that are idle are cut to make room", where);
    } else {
      log_.info("the HTTP server has room again", where);
    }
  }

  // With as many clients and probes as there are descriptors for.
  config::Config fit(config::Config config) {
    auto const shares = share_descriptors(descriptors_, config);
    if (!shares.cut.empty()) {
      log_.warn("few descriptors may be open", {{"detail", shares.cut}});
    }
    config.web.max_connections = shares.max_connections;
    config.scheduler.max_concurrent_runs = shares.max_concurrent_runs;
    return config;
  }

  // Each address has threads of its own, so each is asked.
  void watch_server(std::string const& private_path) {
    std::vector<watchdog::OwnAddress> addresses;
    auto const add = [&addresses](std::optional<watchdog::OwnAddress> const& address) {
      if (address) addresses.push_back(*address);
    };
    for (auto const& address : server_->addresses()) add(watchdog::own_address(address));
    add(watchdog::private_address(private_path));
    watchdog_.ask_server_at(addresses);
    watchdog_.answer_for_server_on(server_->sockets(), unchanging_metrics(own_page()));
  }

  // The metrics as the server has them.
  std::string own_page() {
    HttpRequest const request{.method = "GET", .path = "/metrics"};
    return Routes{sources()}.respond(request).body;
  }

  // Where `canaryd dump` and `status` ask; "" where there can be none.
  std::string private_socket() {
    std::string path = places_.socket().string();
    auto const in_use = Server::private_socket_trouble(path);
    if (in_use.empty()) return path;
    log_.warn("no private listener: canaryd dump and status will not find this process",
              {{"detail", in_use}});
    return {};
  }

  // Without its folders the daemon watches all the same.
  void tell_of_folders() {
    for (auto const& each : lock_.troubles()) {
      log_.warn("a folder of canaryd's own is not to be had", {{"detail", each}});
    }
    for (auto const& each : find_unwritable(places_, options_.config)) {
      log_.warn("cannot write what is to be kept: " + each.consequence,
                {{"directory", each.folder.string()}, {"detail", each.why}});
    }
  }

  AppOptions options_;
  std::size_t descriptors_;
  Places places_;
  StateLock lock_;               // before anything is touched there, until all is written
  Dumps dumps_;                  // its helper is started before any thread
  Log log_;                      // outlives the watchdog, whose dumps have its last lines
  watchdog::Watchdog watchdog_;  // before all that it watches, and longer
  runtime::Loop loop_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Server> server_;  // last: reads the results of services_
};

// An arena for every thread, so that one that hangs with its arena locked stops nobody else; unless
// whoever starts us wants it otherwise (mallopt(3)).
bool arenas_are_chosen() {
  if (std::getenv("MALLOC_ARENA_MAX") != nullptr) return true;
  char const* const tunables = std::getenv("GLIBC_TUNABLES");
  return tunables != nullptr &&
         std::string_view{tunables}.find("glibc.malloc.arena_max") != std::string_view::npos;
}

// Each reserves address space, which may be limited.
int arenas() {
  constexpr rlim_t kSpace = rlim_t{256} << 20;
  rlimit now{};
  if (::getrlimit(RLIMIT_AS, &now) != 0 || now.rlim_cur == RLIM_INFINITY) return kArenas;
  return static_cast<int>(std::clamp<rlim_t>(now.rlim_cur / kSpace, 1, kArenas));
}

}  // namespace

runtime::Signals block_daemon_signals() {
  return runtime::Signals{SIGTERM, SIGINT,    SIGHUP,  SIGUSR1, SIGXCPU, SIGUSR2,
                          SIGALRM, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR};
}

int run_daemon(AppOptions options, runtime::Signals const& signals) {
  if (!arenas_are_chosen()) ::mallopt(M_ARENA_MAX, arenas());
  std::size_t const descriptors = runtime::raise_descriptor_limit();
  auto const shares = share_descriptors(descriptors, options.config);
  auto lock = shares.refusal.empty() ? StateLock::take(places(options.config.state_directory))
                                     : Result<StateLock, std::string>{shares.refusal};
  if (!lock) {
    Log log{options.config.log};
    log.error("cannot start", {{"detail", lock.error()}});
    return kExitFailure;
  }
  App app{std::move(options), std::move(lock).value(), descriptors};
  if (!app.start()) {
    app.stop();
    return kExitFailure;
  }
  while (true) {
    int const signal = signals.wait();
    switch (signal) {
      case SIGHUP:
        app.reload();
        break;
      case SIGUSR1:
        app.dump();
        break;
      case SIGXCPU:
        app.out_of_cpu_time();
        return app.stop();
      case SIGTERM:
      case SIGINT:
        return app.stop();
      default:
        app.tell_of_signal(signal);
        break;
    }
  }
}

}  // namespace canary::daemon

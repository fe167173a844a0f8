// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/control.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "config/touched_files.h"
#include "daemon/app/app.h"
#include "daemon/app/descriptor_shares.h"
#include "daemon/app/load_all.h"
#include "daemon/app/places.h"
#include "daemon/app/state_lock.h"
#include "daemon/discovery/kept_lists.h"
#include "runtime/crash.h"
#include "runtime/tables.h"
#include "runtime/thread_row.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookAfter = 1s;  // the dump helper, while there is nothing else to do

// As they are, not as lines of the log: a person is at the start of it.
int refuse(Log& log, std::vector<config::Problem> const& problems) {
  log.flush(1s);
  for (auto const& problem : problems) std::fprintf(stderr, "%s\n", to_text(problem).c_str());
  return kExitBadConfig;
}

}  // namespace

Control::Control(Setup setup) : setup_(std::move(setup)) {
  thread_ = std::thread{[this] { run(); }};
}

Control::~Control() {
  if (thread_.joinable()) thread_.join();
}

void Control::run() {
  take_row();
  try {
    code_ = start_and_serve();
  } catch (...) {
    thrown_ = std::current_exception();
  }
  row_->leave();
  row_.reset();
  phase_.store(Phase::ended, std::memory_order_release);
  setup_.ended();
}

void Control::take_row() { row_.emplace(runtime::ThreadRecord::main, "control"); }

// For main, and for systemd's status.
void Control::enter(std::string const& step) {
  steps_.enter(step);
  setup_.watchdog.progressed(step);
}

int Control::start_and_serve() {
  enter("reading " + setup_.options.config_file);
  auto loaded = [this] {
    config::OnEachFile const tell{[this](auto const& file) { enter("reading " + file.string()); },
                                  [this] { steps_.goes_on(); }};
    return load_all(setup_.options);
  }();
  if (!loaded) return refuse(setup_.log, loaded.error());
  config::Config config = std::move(loaded.value().config);
  setup_.log.configure(config.log);
  auto const shares = share_descriptors(setup_.descriptors, config);
  auto const where = places(config.state_directory);
  enter("taking the lock of " + where.state.string());
  auto lock = shares.refusal.empty() ? StateLock::take(where)
                                     : Result<StateLock, std::string>{shares.refusal};
  if (!lock) {
    setup_.log.error("cannot start", {{"detail", lock.error()}});
    return kExitFailure;
  }
  if (stop_.stop_requested()) return kExitClean;
  auto lists = kept_lists(config);
  enter("preparing dumps in " + where.runtime.string());
  App app{{.options = setup_.options,
           .config = std::move(config),
           .lists = std::move(lists),
           .access = std::move(loaded.value().access),
           .lock = std::move(lock).value(),
           .descriptors = setup_.descriptors,
           .log = setup_.log,
           .watchdog = setup_.watchdog,
           .steps = steps_,
           .reloads = reloads_,
           .stop = stop_.get_token(),
           .lists_came = [this] { lists_came(); }}};
  if (row_->outdated()) take_row();
  watched_.store(true, std::memory_order_release);
  struct Withdraw {
    ~Withdraw() { control.watched_.store(false, std::memory_order_release); }
    Control& control;
  } const withdraw{*this};
  return serve(app);
}

// Of probes; before anything is built, for they are part of the configuration.
TakenLists Control::kept_lists(config::Config const& config) {
  if (config.discovery.empty()) return {};
  auto const folder = places(config.state_directory).lists();
  enter("reading " + folder.string());
  auto kept = read_kept_lists(folder, config.discovery, wall_now());
  for (auto const& why : kept.unusable) {
    setup_.log.warn("a list of probes that was kept cannot be used", {{"detail", why}});
  }
  config::OnEachFile const tell{[this](auto const& file) { enter("reading " + file.string()); },
                                [this] { steps_.goes_on(); }};
  return take_again(config, kept.lists);
}

// It comes round once a second while there is nothing else to do. Its steps have limits of their
// own, which main sees to.
int Control::serve(App& app) noexcept {
  if (!app.start()) {
    bool const asked = stop_.stop_requested();
    phase_.store(Phase::stopping, std::memory_order_release);
    int const code = app.stop();
    return asked ? code : kExitFailure;
  }
  while (true) {
    rounds_.fetch_add(1, std::memory_order_relaxed);
    row_->beat();
    phase_.store(Phase::running, std::memory_order_release);
    steps_.enter("monitoring");
    {
      std::unique_lock lock{mutex_};
      ordered_.wait_for(lock, stop_.get_token(), kLookAfter,
                        [this] { return reload_wanted_ || lists_came_; });
      lists_came_ = false;
      if (!reload_wanted_ && !stop_.stop_requested()) {
        lock.unlock();
        look_after(app);
        continue;
      }
      reload_wanted_ = false;
    }
    row_->rest();
    if (stop_.stop_requested()) break;
    phase_.store(Phase::reloading, std::memory_order_release);
    auto const number = reloads_.begin();
    reloads_.end(number, app.reload());
    if (stop_.stop_requested()) break;
  }
  phase_.store(Phase::stopping, std::memory_order_release);
  return app.stop();
}

void Control::look_after(App& app) {
  try {
    app.look_after_dumps();
  } catch (std::exception const& failed) {  // no memory, or no thread: in a second again
    setup_.log.warn("the dump helper could not be looked after", {{"detail", failed.what()}});
  }
  try {
    app.look_after_lists();
  } catch (std::exception const& failed) {  // likewise
    setup_.log.warn("the lists of probes could not be looked after", {{"detail", failed.what()}});
  }
}

Control::Turns Control::turns() const {
  Turns turns;
  turns.ticks = setup_.watchdog.record().ticks.load(std::memory_order_relaxed);
  if (auto* const tables = runtime::tables()) {
    turns.beats = tables->loop().beats.load(std::memory_order_relaxed);
  }
  return turns;
}

void Control::end_hung() const {
  if (!watched() || setup_.watchdog.only_reports()) return;
  setup_.watchdog.close_listeners();
  runtime::abort_process();
}

void Control::reload() {
  {
    std::lock_guard const lock{mutex_};
    reload_wanted_ = true;
  }
  ordered_.notify_all();
}

void Control::stop() { stop_.request_stop(); }

void Control::lists_came() {
  {
    std::lock_guard const lock{mutex_};
    lists_came_ = true;
  }
  ordered_.notify_all();
}

bool Control::dump() {
  if (!watched()) return false;
  setup_.watchdog.request_dump();
  return true;
}

int Control::exit_code() {
  if (thread_.joinable()) thread_.join();
  if (thrown_) std::rethrow_exception(thrown_);
  return code_;
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/control.h"

#include <pthread.h>

#include <cstdio>
#include <utility>

#include "config/touched_files.h"
#include "daemon/app/app.h"
#include "daemon/app/descriptor_shares.h"
#include "daemon/app/places.h"
#include "daemon/app/state_lock.h"
#include "runtime/last_words.h"
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
  ::pthread_setname_np(::pthread_self(), "control");
  try {
    code_ = start_and_serve();
  } catch (...) {
    thrown_ = std::current_exception();
  }
  phase_.store(Phase::ended, std::memory_order_release);
  setup_.ended();
}

int Control::start_and_serve() {
  steps_.enter("reading " + setup_.options.config_file);
  auto loaded = [this] {
    config::OnEachFile const tell{
        [this](auto const& file) { steps_.enter("reading " + file.string()); }};
    return setup_.options.load();
  }();
  if (!loaded) return refuse(setup_.log, loaded.error());
  config::Config config = std::move(loaded).value();
  setup_.log.configure(config.log);
  auto const shares = share_descriptors(setup_.descriptors, config);
  auto const where = places(config.state_directory);
  steps_.enter("taking the lock of " + where.state.string());
  auto lock = shares.refusal.empty() ? StateLock::take(where)
                                     : Result<StateLock, std::string>{shares.refusal};
  if (!lock) {
    setup_.log.error("cannot start", {{"detail", lock.error()}});
    return kExitFailure;
  }
  if (stop_.stop_requested()) return kExitClean;
  steps_.enter("preparing dumps in " + where.runtime.string());
  App app{{.options = setup_.options,
           .config = std::move(config),
           .lock = std::move(lock).value(),
           .descriptors = setup_.descriptors,
           .log = setup_.log,
           .steps = steps_,
           .reloads = reloads_,
           .stop = stop_.get_token()}};
  // Its row needs tables, which are there now.
  runtime::ThreadRow row{runtime::ThreadRecord::main, "control"};
  publish(&app.watchdog());
  struct Withdraw {
    ~Withdraw() { control.publish(nullptr); }
    Control& control;
  } const withdraw{*this};
  int const code = serve(app, row);
  row.leave();
  return code;
}

// It comes round once a second while there is nothing else to do. Its steps have limits of their
// own, which main sees to.
int Control::serve(App& app, runtime::ThreadRow& row) noexcept {
  if (!app.start()) {
    bool const asked = stop_.stop_requested();
    phase_.store(Phase::stopping, std::memory_order_release);
    int const code = app.stop();
    return asked ? code : kExitFailure;
  }
  while (true) {
    rounds_.fetch_add(1, std::memory_order_relaxed);
    row.beat();
    phase_.store(Phase::running, std::memory_order_release);
    steps_.enter("monitoring");
    {
      std::unique_lock lock{mutex_};
      bool const ordered =
          ordered_.wait_for(lock, stop_.get_token(), kLookAfter, [this] { return reload_wanted_; });
      if (!ordered && !stop_.stop_requested()) {
        lock.unlock();
        try {
          app.look_after_dumps();
        } catch (std::exception const& failed) {  // no memory, or no thread: in a second again
          setup_.log.warn("the dump helper could not be looked after", {{"detail", failed.what()}});
        }
        continue;
      }
      reload_wanted_ = false;
    }
    row.rest();
    if (stop_.stop_requested()) break;
    phase_.store(Phase::reloading, std::memory_order_release);
    auto const number = reloads_.begin();
    reloads_.end(number, app.reload());
    if (stop_.stop_requested()) break;
  }
  phase_.store(Phase::stopping, std::memory_order_release);
  return app.stop();
}

void Control::publish(watchdog::Watchdog* watchdog) {
  std::lock_guard const lock{mutex_};
  watchdog_ = watchdog;
}

bool Control::watched() const {
  std::lock_guard const lock{mutex_};
  return watchdog_ != nullptr;
}

Control::Turns Control::turns() const {
  Turns turns;
  if (auto* const tables = runtime::tables()) {
    turns.beats = tables->loop().beats.load(std::memory_order_relaxed);
  }
  std::lock_guard const lock{mutex_};
  if (watchdog_ != nullptr) turns.ticks = watchdog_->record().ticks.load(std::memory_order_relaxed);
  return turns;
}

void Control::end_hung() const {
  std::lock_guard const lock{mutex_};
  if (watchdog_ == nullptr || watchdog_->only_reports()) return;
  watchdog_->close_listeners();
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

bool Control::dump() {
  std::lock_guard const lock{mutex_};
  if (watchdog_ == nullptr) return false;
  watchdog_->request_dump();
  return true;
}

int Control::exit_code() {
  if (thread_.joinable()) thread_.join();
  if (thrown_) std::rethrow_exception(thrown_);
  return code_;
}

}  // namespace canary::daemon

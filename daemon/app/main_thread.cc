// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/main_thread.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "runtime/thread_row.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;
using Phase = Control::Phase;

constexpr auto kQuiet = 1s;  // between looks while nothing is to be waited for
constexpr auto kWatching = 100ms;
constexpr auto kRoundMissed = 10s;    // of control's, one a second
constexpr auto kHeldMyself = 3s;      // between two looks: then nothing is said of others
constexpr auto kBothStand = 45s;      // the loop and the watchdog; a debugger may hold one as long
constexpr auto kStartUnwinds = 2s;    // once it was asked to stop
constexpr auto kExtendedEvery = 10s;  // systemd is told so often that a step goes on
// For what comes after all that the watchdog looks at: it limits the stop itself.
constexpr auto kAfterTheWatchdog = 5s;

std::string_view named(Phase phase) {
  switch (phase) {
    case Phase::starting:
      return "the start stands still";
    case Phase::reloading:
      return "the reload stands still";
    case Phase::stopping:
      return "the stop stands still";
    case Phase::running:
    case Phase::ended:
      break;
  }
  return {};
}

}  // namespace

MainThread::MainThread(Setup setup) : setup_(setup) {}

void MainThread::run() noexcept {
  std::optional<runtime::ThreadRow> row;
  while (setup_.control.phase() != Phase::ended) {
    if (!row || row->outdated()) row.emplace(runtime::ThreadRecord::main, "main");
    row->beat();
    watch();
    bool const quiet = setup_.control.phase() == Phase::running && !stop_asked_;
    take(setup_.signals.wait_for(quiet ? std::chrono::nanoseconds{kQuiet} : kWatching));
  }
  if (row) row->leave();
}

void MainThread::take(int signal) {
  switch (signal) {
    case 0:
      return;
    case SIGHUP:
      return setup_.control.reload();
    case SIGUSR1:
      if (!setup_.control.dump()) {
        auto const seen = setup_.control.look();
        setup_.log.warn("no dump: what dumps are made with is not there yet, or not any more",
                        {{"step", seen.what}, {"for", seen.age}});
      }
      return;
    case SIGXCPU:
      setup_.log.error(
          "the limit of CPU time is reached (RLIMIT_CPU); stopping before the kernel ends us");
      return ask_to_stop();
    case SIGTERM:
    case SIGINT:
      return ask_to_stop();
    default:
      if (signal == SIGUSR2 && setup_.woken.exchange(false)) return;
      setup_.log.warn("a signal that means nothing to canaryd was ignored",
                      {{"signal", ::sigabbrev_np(signal)}});
  }
}

void MainThread::ask_to_stop() {
  if (!stop_asked_) stop_asked_ = Clock::now();
  setup_.control.stop();
}

void MainThread::watch() {
  auto const phase = setup_.control.phase();
  auto const seen = setup_.control.look();
  bool const held = Clock::now() - std::exchange(looked_, Clock::now()) >= kHeldMyself;
  if (phase == Phase::running) watch_rounds(seen, held);
  if (phase != Phase::starting) watch_loop_and_watchdog(held);
  if (named(phase).empty()) return;
  if (phase == Phase::starting) watch_start(seen);
  bool const watched = setup_.control.watched();
  if (phase == Phase::stopping && !watched && seen.age >= kAfterTheWatchdog) {
    give_up("the end stands still; ending the process", seen);
  }
  if (standing_.due(seen)) {
    setup_.log.warn(named(phase), {{"step", seen.what}, {"for", seen.age}});
  }
}

// Each misses the other. Where both stand still, as on a disk that holds the dump's files, nobody
// else would.
void MainThread::watch_loop_and_watchdog(bool held) {
  auto const turns = setup_.control.turns();
  auto const now = Clock::now();
  bool const move = turns.beats != turns_.beats || turns.ticks != turns_.ticks;
  if (move || held) {
    turns_ = turns;
    turned_ = now;
  }
  if (now - turned_ < kBothStand) return;
  setup_.log.error("ending the process: the loop and the watchdog stand still",
                   {{"for", now - turned_}});
  setup_.log.flush(1s);
  turned_ = now;
  setup_.control.end_hung();
}

// Nobody else would miss it before there is something for it to do.
void MainThread::watch_rounds(runtime::Stage::Seen const& seen, bool held) {
  auto const rounds = setup_.control.rounds();
  auto const now = Clock::now();
  if (rounds != rounds_ || held) {
    rounds_ = rounds;
    rounds_since_ = now;
    if (std::exchange(rounds_told_, false)) setup_.log.info("the control thread goes on");
  }
  if (now - rounds_since_ < kRoundMissed) return;
  if (!std::exchange(rounds_told_, true)) {
    setup_.log.error("the control thread stands still: no reload is taken, and no dump helper kept",
                     {{"for", now - rounds_since_}});
  }
  if (stop_asked_ && now - *stop_asked_ >= kRoundMissed) {
    give_up("the stop is not begun; ending the process", seen);
  }
}

void MainThread::watch_start(runtime::Stage::Seen const& seen) {
  tell_systemd(seen);
  if (stop_asked_ && Clock::now() - *stop_asked_ >= kStartUnwinds) {
    give_up("stopped during a start that stands still; ending the process", seen);
  }
  if (seen.age >= setup_.patience) give_up("cannot start: a step does not come to its end", seen);
}

// A step that stands still is one for systemd, too, until it is given up here.
void MainThread::tell_systemd(runtime::Stage::Seen const& seen) {
  auto const told = seen.entered * 1'000 + static_cast<std::uint64_t>(seen.age / kExtendedEvery);
  if (std::exchange(told_, told) != told) setup_.watchdog.goes_on();
}

void MainThread::give_up(std::string_view why, runtime::Stage::Seen const& seen) {
  setup_.log.error(why, {{"step", seen.what}, {"for", seen.age}});
  setup_.log.flush(1s);
  ::_exit(kExitFailure);
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/watch_the_watchdog.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "daemon/app/tick_watch.h"
#include "daemon/watchdog/sample/proc_reader.h"
#include "runtime/contract.h"
#include "runtime/crash.h"
#include "runtime/event.h"
#include "runtime/tables.h"
#include "runtime/trace.h"

namespace canary::daemon {
namespace {

using runtime::Deadline;
using runtime::ThreadRecord;
using namespace std::chrono_literals;

constexpr auto kTurn = 100ms;

TickWatch::Thread watchdogs_thread() {
  for (auto const& row : runtime::tables()->threads()) {
    if (row.kind.load(std::memory_order_relaxed) != ThreadRecord::watchdog) continue;
    auto const thread = row.thread.load(std::memory_order_acquire);
    if (thread == 0) continue;
    bool const gone = ::syscall(SYS_tgkill, ::getpid(), thread, 0) != 0 && errno == ESRCH;
    watchdog::ThreadFiles files;
    files.open(thread);
    bool const traced = files.sample(watchdog::ThreadFiles::Depth::full, 0).traced;
    files.close();
    return {.gone = gone, .traced = traced};
  }
  return {};
}

// The watchdog would have dumped; what it cannot do any more is left out.
void end_process(watchdog::Watchdog& watchdog, Log& log, std::string_view why) {
  if (watchdog.only_reports()) return;
  log.error("ending the process: nothing would be noticed any more", {{"detail", why}});
  log.flush(1s);
  watchdog.close_listeners();
  runtime::abort_process();
}

}  // namespace

runtime::Task<void> watch_the_watchdog(watchdog::Watchdog& watchdog, Log& log) {
  runtime::require_loop_thread();
  runtime::RunTrace const row{"watchdog", Deadline::never(), runtime::RunRecord::service};
  TickWatch ticks;
  std::function<TickWatch::Thread()> const look = watchdogs_thread;
  auto before = runtime::Clock::now();
  while (true) {
    co_await runtime::sleep_until(row.trace(), "watchdog.tick", Deadline::after(kTurn));
    // A loop that always wakes late must not make the watchdog's time longer for it.
    auto const now = runtime::Clock::now();
    auto const turns = std::min<std::int64_t>((now - before) / kTurn, TickWatch::kMost);
    before = now;
    auto const tick_ns = watchdog.record().tick_ns.load(std::memory_order_acquire);
    switch (ticks.turn(tick_ns, look, static_cast<int>(turns))) {
      case TickWatch::Step::nothing:
        break;
      case TickWatch::Step::stalled:
        watchdog.stands_still(true);
        log.error("the watchdog does not tick: nobody notices what hangs");
        break;
      case TickWatch::Step::over:
        watchdog.stands_still(false);
        log.info("the watchdog ticks again");
        break;
      case TickWatch::Step::ended:
        watchdog.stands_still(true);
        end_process(watchdog, log, "the watchdog's thread ended");
        break;
      case TickWatch::Step::end:
        end_process(watchdog, log, "the watchdog's thread does not tick");
        break;
    }
  }
}

}  // namespace canary::daemon

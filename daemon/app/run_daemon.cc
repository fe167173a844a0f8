// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/run_daemon.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "daemon/app/anew.h"
#include "daemon/app/control.h"
#include "daemon/app/descriptor_shares.h"
#include "daemon/app/main_thread.h"
#include "daemon/dump/capture/capture.h"
#include "daemon/dump/live.h"
#include "daemon/log/log.h"
#include "daemon/watchdog/tell/log_lines.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/aside.h"
#include "runtime/limits.h"
#include "runtime/tables.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

constexpr int kArenas = 128;

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

// Where there are not even as many descriptors as without any listener.
std::string too_few(std::size_t descriptors) {
  config::Config least;
  least.web.listen_addresses.clear();
  return share_descriptors(descriptors, least).refusal;
}

}  // namespace

runtime::Signals block_daemon_signals() {
  return runtime::Signals{SIGTERM, SIGINT,    SIGHUP,  SIGUSR1, SIGXCPU, SIGUSR2,
                          SIGALRM, SIGVTALRM, SIGPROF, SIGIO,   SIGPWR};
}

int run_daemon(AppOptions options, runtime::Signals const& signals) {
  put_right_what_was_before();
  if (!arenas_are_chosen()) ::mallopt(M_ARENA_MAX, arenas());
  std::size_t const descriptors = runtime::raise_descriptor_limit();
  auto const patience = options.patience;
  dump::install_capture();
  dump::prepare_threads();
  runtime::make_tables({});
  Log log{options.log};
  // Before any file is touched: whatever stands still from now on, somebody said so, and it is
  // watched. What the configuration says of that is not known: nothing is ended for it.
  log.info("starting", {{"version", CANARY_VERSION}, {"reading", options.config_file}});
  if (!dump::kCopiesStacks) {
    log.info("dumps have no native stacks on this architecture: they are copied on x86-64 alone");
  }
  if (auto const refusal = too_few(descriptors); !refusal.empty()) {
    log.error("cannot start", {{"detail", refusal}});
    return kExitFailure;
  }
  watchdog::Watchdog watchdog{
      {.settings = {.on_dead = config::WatchdogSettings::OnDead::report}, .memory_directory = {}}};
  log.add_source(watchdog::log_source(watchdog.lines()));
  struct DropSource {
    ~DropSource() { log.drop_source(); }
    Log& log;
  } const drop_source{log};
  std::atomic<bool> woken{false};
  auto const wake_main = [&woken, main = ::pthread_self()] {
    woken.store(true);
    ::pthread_kill(main, SIGUSR2);
  };
  Control control{{.options = std::move(options),
                   .descriptors = descriptors,
                   .log = log,
                   .watchdog = watchdog,
                   .ended = wake_main}};
  MainThread{{.control = control,
              .log = log,
              .watchdog = watchdog,
              .signals = signals,
              .woken = woken,
              .patience = patience}}
      .run();
  int const code = control.exit_code();
  if (runtime::calls_left() == 0) return code;
  // A reload that still stands still uses what would be destroyed here.
  log.flush(1s);
  ::_exit(code);
}

}  // namespace canary::daemon

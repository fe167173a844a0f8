// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/run_daemon.h"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "daemon/app/app.h"
#include "daemon/app/descriptor_shares.h"
#include "daemon/app/places.h"
#include "daemon/app/state_lock.h"
#include "daemon/log/log.h"
#include "runtime/limits.h"

namespace canary::daemon {
namespace {

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

// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/bounded.h"

#include <unistd.h>

#include "runtime/signals.h"

namespace canary::daemon {

void give_up(Bound const& bound, bool interrupted, runtime::Stage::Seen const& at) {
  std::string const why =
      interrupted ? "interrupted" : "gave up after " + config::to_text(bound.limit);
  std::string const line = bound.command + ": " + why + "; it was at " + to_text(at) + "\n";
  // Not by stdio, whose lock may be held by whoever stands still in a full pipe.
  [[maybe_unused]] auto lost = ::write(STDERR_FILENO, line.data(), line.size());
  std::string const out = bound.out + line;
  if (!bound.out.empty()) lost = ::write(STDOUT_FILENO, out.data(), out.size());
  ::_exit(bound.code);
}

int run_bounded(Bound const& bound, std::function<int(runtime::Stage& stage)> work) {
  runtime::StopOnSignal const interrupt{bound.code};
  return bounded(bound, interrupt.token(), std::move(work));
}

}  // namespace canary::daemon

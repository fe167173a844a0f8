// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/systemd_feed.h"

#include "daemon/watchdog/tell/counters.h"
#include "runtime/tables.h"

namespace canary::watchdog {

using std::memory_order_relaxed;

void SystemdFeed::feed(Look const& look) {
  if (!notifier_.enabled()) return;
  runtime::Tables* const tables = runtime::tables();
  std::uint64_t const beats =
      tables == nullptr ? 0 : tables->loop().beats.load(memory_order_relaxed);
  // What is nobody's fault ends no process: until it is judged hung, systemd is fed.
  auto const seen = static_cast<Verdict>(record_.executor_verdict.load(memory_order_relaxed));
  bool const nobodys_fault = seen != Verdict::none && seen != Verdict::unknown && !accuses(seen);
  bool const beating =
      look.stopping || ((beats != beats_pinged_ || nobodys_fault) && !look.vital_hung);
  Notifier::Now const now{.now_ns = look.now_ns,
                          .progress = look.progress,
                          .beating = beating && !look.dying,
                          .status = look.sentence};
  if (notifier_.tick(now)) {
    beats_pinged_ = beats;
    add_to(record_.notify_pings);
  }
  record_.notify_failures.store(notifier_.failures(), memory_order_relaxed);
}

}  // namespace canary::watchdog

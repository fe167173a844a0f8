// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/last_run.h"

#include <chrono>

#include "daemon/dump/render/text_lines.h"

namespace canary::daemon {
namespace {

void tell_of_the_memory(Log& log, watchdog::Watchdog const& watchdog,
                        config::Config const& config) {
  if (!watchdog.trouble().empty()) {
    log.warn("stalls will not be remembered over a restart", {{"detail", watchdog.trouble()}});
  }
  watchdog::PreviousRun const& previous = watchdog.record().previous;
  if (!previous.known || previous.clean) return;
  log.warn("the last run did not end cleanly; nothing was monitored in between",
           {{"end", to_text(previous.end)},
            {"blind", std::chrono::nanoseconds{previous.blind_ns}},
            {"restarts", previous.restarts},
            {"last_stall", previous.has_stall ? previous.stall.site.data() : "none"}});
  for (auto const& probe : config.probes) {
    if (!watchdog.quarantined(probe.name.text)) continue;
    log.error("a probe is quarantined: it hung the loop again and again; a reload lifts it",
              {{"probe", probe.name.text}});
  }
}

void tell_of_the_black_box(Log& log, Dumps const& dumps) {
  if (!dumps.unclaimed().empty()) {
    log.warn("systemd handed over descriptors that canaryd has no use for; they are closed",
             {{"names", dumps.unclaimed()}});
  }
  dump::BlackBox const& box = dumps.black_box();
  if (!box.trouble.empty()) {
    log.warn("the process before left its tables, and they do not tell all",
             {{"detail", box.trouble}});
  }
  if (!box.words.known || !box.words.in_run) return;
  log.warn("the process before did not end in order; this is what it was at",
           {{"process", box.words.process},
            {"ended", dump::utc_text(box.ended_wall_ns)},
            {"loop", dump::last_act(box)},
            {"runs", box.going_on.size()},
            {"going_on", dump::names_of_runs(box)},
            {"post_mortem", box.words.dump.data()}});
}

}  // namespace

void tell_of_the_last_run(Log& log, watchdog::Watchdog const& watchdog, Dumps const& dumps,
                          config::Config const& config) {
  tell_of_the_memory(log, watchdog, config);
  tell_of_the_black_box(log, dumps);
}

}  // namespace canary::daemon

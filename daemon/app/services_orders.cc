// SPDX-License-Identifier: Apache-2.0
// What somebody on this machine orders for one probe.
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/app/forget.h"
#include "daemon/app/run_text.h"
#include "daemon/app/services.h"
#include "daemon/check/report_text.h"
#include "probes/kind.h"
#include "runtime/contract.h"

namespace canary::daemon {
namespace {

using Ticket = std::shared_ptr<Orders::Ticket>;

OrderOutcome refused(std::string why) { return {.carried_out = false, .text = std::move(why)}; }

OrderOutcome no_such_probe(std::string const& probe) {
  return refused("no probe is called \"" + std::string{HarmlessText<100>{probe}} +
                 "\"; `canaryd status` lists them");
}

OrderOutcome outcome_of(std::shared_ptr<ProbeRow const> const& row) {
  OrderOutcome outcome{
      .carried_out = true, .exit_code = static_cast<int>(row->last_report->severity()), .text = {}};
  outcome.show = [row](ShownAs as) {
    auto const checked = last_run(*row);
    TextStyle const style{.colour = as.colour, .quiet = as.quiet};
    return as.json ? report_json(checked, style) : report_text(checked, style);
  };
  return outcome;
}

}  // namespace

void Services::carry_out(Order const& order, Ticket const& ticket) noexcept {
  runtime::require_loop_thread();
  try {
    if (order.kind == Order::Kind::forget) {
      forget(order, ticket);
    } else {
      run_now(order, ticket);
    }
  } catch (std::exception const& failed) {  // no memory
    if (ticket->outcome() == nullptr) ticket->end({.carried_out = false, .text = {}});
  }
}

// The memory goes at once, the files in the order of what is done to the probe's folder: before any
// run that begins from now on asks for them.
void Services::forget(Order const& order, Ticket const& ticket) {
  // One that was removed has files still.
  if (!config::is_probe_name(order.probe)) return ticket->end(no_such_probe(order.probe));
  auto const folder = places_.probe(order.probe);
  auto job = [folder] { return remove_files(folder); };
  auto told = [this, order, ticket](std::optional<Result<std::size_t, std::string>> removed) {
    forgotten(order, removed ? *removed : std::string{"the disk's thread ended"}, *ticket);
  };
  if (auto const memory = memories_.find(order.probe); memory != memories_.end()) {
    if (auto const* const kind = probes::find_kind(memory->second.kind)) {
      kind->abandon(*memory->second.kept);
    }
    memories_.erase(memory);
  }
  disk_.in_order(folder.string()).then(executor_, "state.forget", std::move(job), std::move(told));
  scheduler_.begin_anew(order.probe);
}

void Services::forgotten(Order const& order, Result<std::size_t, std::string> const& removed,
                         Orders::Ticket& ticket) {
  if (!removed) {
    log_.error("what was trusted of a probe could not be dropped",
               {{"probe", order.probe}, {"detail", removed.error()}});
    return ticket.end(refused("not forgotten: " + removed.error()));
  }
  if (removed.value() == 0 && !results_.row(order.probe)) {
    return ticket.end(no_such_probe(order.probe));
  }
  SysTime const at = wall_now();
  log_.warn("what was trusted of a probe is dropped; its next run begins from what is pinned",
            {{"probe", order.probe}, {"reason", order.reason.text()}, {"files", removed.value()}});
  history_.note(history::EventEntry{.kind = history::kTrustDropped,
                                    .subject = order.probe,
                                    .detail = order.reason.text(),
                                    .at = at});
  results_.trust_dropped(order.probe, {.at = at, .reason = order.reason});
  keeper_.note(
      Changes{.probe = order.probe, .url = {}, .state = {}, .findings = {}, .facts = true});
  ticket.end({.carried_out = true, .text = forgotten_text(order.probe, removed.value())});
}

void Services::run_now(Order const& order, Ticket const& ticket) {
  auto const row = results_.row(order.probe);
  if (!row) return ticket->end(no_such_probe(order.probe));
  auto const ended = [this, probe = order.probe, ticket](bool with_report) {
    auto const now = with_report ? results_.row(probe) : nullptr;
    ticket->end(now && now->last_report ? outcome_of(now)
                                        : refused("the run told nothing: a reload changed " +
                                                  probe + " or took it away, or canaryd stops"));
  };
  switch (scheduler_.run_now(order.probe, ended)) {
    case Scheduler::RunNow::taken:
      return;
    case Scheduler::RunNow::unknown:
      return ticket->end(refused(order.probe + " is paused (`enabled: false`)"));
    case Scheduler::RunNow::quarantined:
      return ticket->end(refused(order.probe + " is quarantined, for it hung canaryd again and "
                                               "again; a reload lifts that"));
    case Scheduler::RunNow::stopping:
      return ticket->end(refused("canaryd stops"));
  }
}

}  // namespace canary::daemon

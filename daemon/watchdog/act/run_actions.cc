// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/run_actions.h"

#include "daemon/watchdog/tell/counters.h"
#include "runtime/tables.h"

namespace canary::watchdog {
namespace {

using runtime::RunRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

RunRecord* record_of(Incident const& incident) {
  runtime::Tables* const tables = runtime::tables();
  if (tables == nullptr || incident.run >= tables->runs().size()) return nullptr;
  return &tables->runs().data()[incident.run];
}

// The record may be another run's by now.
RunRecord* run_of(Incident const& incident) {
  RunRecord* const run = record_of(incident);
  bool const same =
      run != nullptr && run->generation.load(memory_order_acquire) == incident.generation;
  return same ? run : nullptr;
}

}  // namespace

void RunActions::cancel(Incident const& incident) {
  RunRecord* const run = run_of(incident);
  if (run == nullptr || run->state.load(memory_order_relaxed) != RunRecord::running) return;
  run->ask_cancel.store(incident.generation, memory_order_release);
  wake(wake_);
  add_to(record_.runs_cancelled);
  lines_.say(Line::Kind::cancelled, incident, incident.age_ns);
}

void RunActions::mark_stalled(Incident const& incident) {
  RunRecord* const run = run_of(incident);
  if (run == nullptr) return;
  run->stalled.store(incident.generation, memory_order_release);
  lines_.say(Line::Kind::not_unwound, incident, incident.age_ns);
}

bool is_of_probe(Incident const& incident) {
  RunRecord const* const run = record_of(incident);
  return run != nullptr && run->kind.load(memory_order_relaxed) == RunRecord::probe;
}

}  // namespace canary::watchdog

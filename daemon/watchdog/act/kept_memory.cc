// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/kept_memory.h"

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/tell/counters.h"
#include "daemon/watchdog/tell/sentence.h"

namespace canary::watchdog {

using std::memory_order_relaxed;
using std::memory_order_release;

KeptMemory::KeptMemory(MemoryBlock& block, int wake, Record& record)
    : block_(&block), wake_(wake), record_(record) {
  block_->memory.load(memory_);
  publish_quarantine();
}

void KeptMemory::adopt(MemoryBlock& block, int wake) {
  Memory const early = memory_;
  block_ = &block;
  wake_ = wake;
  block_->memory.load(memory_);
  memory_.hung = early.hung;
  if (early.has_stall != 0) {
    memory_.has_stall = 1;
    memory_.stall = early.stall;
  }
  publish();
  publish_quarantine();
}

void KeptMemory::remember(Incident const& incident, std::int64_t wall_ns) {
  LastStall last;
  last.wall_ns = wall_ns;
  last.incident = incident;
  ShortText<159> site;
  add_site(site, incident);
  copy_text(last.site, site.view());
  record_.last_stall.store(last);
  memory_.has_stall = 1;
  memory_.stall = last;
  publish();
}

void KeptMemory::note_hung(bool hung) {
  std::uint32_t const noted = hung ? 1 : 0;
  if (memory_.hung == noted) return;
  memory_.hung = noted;
  publish();
}

void KeptMemory::note_alive(std::int64_t wall_ns) {
  memory_.alive_wall_ns = wall_ns;
  block_->alive_wall_ns.store(wall_ns, memory_order_relaxed);
}

bool KeptMemory::count_stall(std::string_view probe, std::int64_t wall_ns, int quarantine_after,
                             std::int64_t window_ns) {
  bool const fresh = note_culprit(block_->culprits, probe, wall_ns, quarantine_after, window_ns);
  publish();
  if (fresh) publish_quarantine();
  return fresh;
}

void KeptMemory::lift_quarantine() {
  block_->culprits.count.store(0, memory_order_release);
  publish();
  publish_quarantine();
}

void KeptMemory::end_in_order() {
  memory_.clean = 1;
  publish();
}

void KeptMemory::publish() {
  block_->memory.store(memory_);
  block_->changes.store(block_->changes.load(memory_order_relaxed) + 1, memory_order_release);
  wake(wake_);
}

void KeptMemory::publish_quarantine() {
  std::uint32_t held = 0;
  std::size_t const count = block_->culprits.count.load(memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i) {
    Culprit each;
    if (block_->culprits.places.data()[i].load(each) && each.quarantined != 0) ++held;
  }
  record_.quarantined_count.store(held, memory_order_release);
}

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/loop_sampler.h"

namespace canary::watchdog {

using runtime::LoopRecord;
using runtime::ThreadRecord;
using std::memory_order_acquire;
using std::memory_order_relaxed;

bool is_pool(std::uint8_t kind) { return kind == ThreadRecord::disk || kind == ThreadRecord::cpu; }

LoopSampler::Look LoopSampler::look(runtime::Tables& tables, ThreadSampler& others,
                                    Limits const& limits, bool stopping, bool deep,
                                    Moment const& at) {
  Look look;
  look.facts = facts_of(tables, stopping, at.now_ns);
  look.late = loop_is_late(look.facts, limits, at.now_ns);
  if (!look.late) handlers_before_ = look.facts.handlers;
  look.facts.handlers_before = handlers_before_;
  sample(tables, others, look.late || deep, at, look);
  look.before = history_.earlier();
  look.newest = history_.newest();
  look.facts.handlers_sample = history_.earlier_count();
  look.facts.handler_cpu_ns = usage_.in(look.facts.handler_since_ns, look.newest);
  return look;
}

LoopFacts LoopSampler::facts_of(runtime::Tables& tables, bool stopping, std::int64_t now_ns) {
  LoopRecord const& loop = tables.loop();
  LoopFacts facts;
  std::uint8_t const state = loop.state.load(memory_order_acquire);
  facts.in_run = state == LoopRecord::in_run;
  facts.left_run = state == LoopRecord::left_run;
  facts.stopping = stopping;
  if (!facts.in_run) entered_ns_ = 0;
  if (facts.in_run && entered_ns_ == 0) entered_ns_ = now_ns;
  if (!facts.left_run) left_ns_ = 0;
  if (facts.left_run && left_ns_ == 0) left_ns_ = now_ns;
  facts.entered_ns = entered_ns_;
  facts.left_ns = left_ns_;
  facts.handler_since_ns = loop.handler_since_ns.load(memory_order_acquire);
  facts.handlers = loop.handlers.load(memory_order_relaxed);
  facts.beats = loop.beats.load(memory_order_relaxed);
  facts.beat_due_ns = loop.beat_due_ns.load(memory_order_relaxed);
  return facts;
}

void LoopSampler::sample(runtime::Tables& tables, ThreadSampler& others, bool deep,
                         Moment const& at, Look& look) {
  LoopRecord const& loop = tables.loop();
  std::int32_t const thread = loop.thread.load(memory_order_relaxed);
  if (thread != files_.thread()) {
    history_.clear();
    ahead_ns_ = 0;
    files_.close();
    if (thread != 0) files_.open(thread);
  }
  if (thread == 0) return;
  ThreadSample const before = history_.newest();
  bool const comparable = !history_.empty();
  ThreadSample const sample =
      files_.sample(deep ? ThreadFiles::Depth::full : ThreadFiles::Depth::brief, at.now_ns);
  history_.add(sample, loop.handlers.load(memory_order_relaxed));
  look.held = sample.traced && !traced_;
  if (deep) traced_ = sample.traced;
  look.sampled = true;
  look.withheld_ns = comparable ? withheld(before, sample, ahead_ns_) : 0;
  if (!waits_for_lock(sample)) return;
  // Who holds the lock is not known: it may be any thread that works for the loop.
  std::int64_t const theirs = others.withheld_from(tables, is_pool, at.previous_ns, at.now_ns);
  if (theirs > look.withheld_ns) look.withheld_ns = theirs;
}

}  // namespace canary::watchdog

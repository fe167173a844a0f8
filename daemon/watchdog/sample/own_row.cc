// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/own_row.h"

#include <unistd.h>

namespace canary::watchdog {

using runtime::ThreadRecord;
using std::memory_order_relaxed;
using std::memory_order_release;

ThreadRecord* claim_own_row(runtime::Tables& tables, ThreadRecord::Kind kind, std::string_view name,
                            StackBounds const& stack) {
  for (ThreadRecord& row : tables.threads()) {
    std::uint8_t expected = ThreadRecord::unused;
    if (!row.kind.compare_exchange_strong(expected, kind)) continue;
    row.name.store(name);
    row.job.store(0, memory_order_relaxed);
    row.job_since_ns.store(0, memory_order_relaxed);
    row.beat_ns.store(0, memory_order_relaxed);
    row.stack_low.store(stack.low, memory_order_relaxed);
    row.stack_high.store(stack.high, memory_order_relaxed);
    row.thread.store(::gettid(), memory_order_release);
    return &row;
  }
  return nullptr;
}

void release_own_row(ThreadRecord*& row) {
  if (row == nullptr) return;
  row->thread.store(0, memory_order_relaxed);
  row->kind.store(ThreadRecord::unused, memory_order_release);
  row = nullptr;
}

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// The loop as the tables and its thread's files in /proc tell of it.
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>

#include "daemon/watchdog/judge/judgement.h"
#include "daemon/watchdog/judge/moment.h"
#include "daemon/watchdog/sample/proc_reader.h"
#include "daemon/watchdog/sample/thread_history.h"
#include "daemon/watchdog/sample/thread_sampler.h"
#include "runtime/tables.h"

namespace canary::watchdog {

// The threads of the pools.
bool is_pool(std::uint8_t kind);

class LoopSampler {
 public:
  struct Look {
    LoopFacts facts;
    ThreadSample before, newest;
    bool late = false;             // others' waiting is its fault
    bool sampled = false;          // there is a thread, and `withheld_ns` is of it
    std::int64_t withheld_ns = 0;  // from it, or from who may hold a lock that it waits for
    bool held = false;             // a debugger holds it, and did not at the last deep look
  };
  // `deep`: with what is costly to read; a late loop is looked at so anyway. `others` for who may
  // hold a lock that the loop waits for.
  Look look(runtime::Tables& tables, ThreadSampler& others, Limits const& limits, bool stopping,
            bool deep, Moment const& at);
  void close() { files_.close(); }

 private:
  LoopFacts facts_of(runtime::Tables& tables, bool stopping, std::int64_t now_ns);
  void sample(runtime::Tables& tables, ThreadSampler& others, bool deep, Moment const& at,
              Look& look);

  std::int64_t entered_ns_ = 0, left_ns_ = 0;  // when it was first seen in run(), or out of it
  std::uint64_t handlers_before_ = 0;
  std::int64_t ahead_ns_ = 0;
  bool traced_ = false;
  ThreadFiles files_;
  ThreadHistory history_;
  CpuUsage usage_;
};

}  // namespace canary::watchdog

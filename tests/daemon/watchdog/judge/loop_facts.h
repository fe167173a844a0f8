// SPDX-License-Identifier: Apache-2.0
// Loops and threads as the watchdog finds them, for tests of its judgement.
#pragma once

#include <sys/syscall.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/watchdog/judge/judgement.h"

namespace canary::watchdog {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kS = 1'000 * kMs;
constexpr std::int64_t kNow = 1'000 * kS;

struct Threads {
  ThreadSample before, now;
};

// Two samples 250 ms apart: state, on a CPU for so long in between, waited for one for so long.
inline Threads thread(char state, std::int64_t ran, std::int64_t delayed = 0,
                      std::int64_t call = -1) {
  ThreadSample before{.known = true,
                      .state = state,
                      .system_call = call,
                      .at_ns = kNow - 250 * kMs,
                      .cpu_ns = 5 * kS,
                      .delay_ns = 1 * kS};
  ThreadSample now = before;
  now.at_ns = kNow;
  now.cpu_ns += ran;
  now.delay_ns += delayed;
  return {before, now};
}

inline Threads spinning() { return thread('R', 240 * kMs); }
inline Threads waiting_for_events() { return thread('S', 0, 0, SYS_epoll_wait); }

// A loop whose handler began `age` ago, the beat overdue since then.
inline LoopFacts stuck(std::int64_t age) {
  return {.in_run = true,
          .entered_ns = 1,
          .handlers = 70,
          .handlers_before = 70,
          .handlers_sample = 70,
          .beats = 9,
          .handler_since_ns = kNow - age,
          .beat_due_ns = kNow - age + 90 * kMs};
}

inline Incident judge(LoopFacts const& loop, Threads const& threads,
                      ThreadGrace const& grace = {}) {
  return judge_loop(loop, threads.before, threads.now, Limits{}, grace, kNow);
}

}  // namespace canary::watchdog

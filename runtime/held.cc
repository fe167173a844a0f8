// SPDX-License-Identifier: Apache-2.0
#include "runtime/held.h"

#include <time.h>

#include "runtime/contract.h"
#include "runtime/tables.h"

namespace canary::runtime {
namespace {

constexpr std::int64_t kLeast = kLeastAbsence.count();

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t absence(std::int64_t due_ns, std::int64_t now_ns) {
  return now_ns - due_ns >= kLeast ? now_ns - due_ns : 0;
}

std::int64_t noted_ns = 0;  // of the loop's thread alone

}  // namespace

std::chrono::nanoseconds machine_slept() {
  // Read one after the other: what lies between the two readings is no sleep.
  std::int64_t const monotonic = clock_ns(CLOCK_MONOTONIC);
  return std::chrono::nanoseconds{clock_ns(CLOCK_BOOTTIME) - monotonic};
}

void note_beat(std::int64_t due_ns, std::int64_t now_ns) { noted_ns += absence(due_ns, now_ns); }

std::chrono::nanoseconds loop_held() {
  require_loop_thread();
  Tables* const all = tables();
  std::int64_t const due =
      all == nullptr ? 0 : all->loop().beat_due_ns.load(std::memory_order_relaxed);
  std::int64_t const arrived =
      all == nullptr ? 0 : all->loop().beat_ns.load(std::memory_order_relaxed);
  // A beat that is due and has not come; without a beat nothing is known.
  std::int64_t const open = due > arrived ? absence(due, now_ns()) : 0;
  return std::chrono::nanoseconds{noted_ns + open};
}

}  // namespace canary::runtime

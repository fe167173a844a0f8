// SPDX-License-Identifier: Apache-2.0
// Counters with one writer, and descriptors that wake others.
// Thread: see each counter; wake() any. Allocates nothing, takes no lock.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace canary::watchdog {

// By the one thread that writes it.
inline void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t amount = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

// REQUIRES: an eventfd, or -1 for nobody.
inline void wake(int eventfd) {
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(eventfd, &one, sizeof one);
}

}  // namespace canary::watchdog

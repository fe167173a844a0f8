// SPDX-License-Identifier: Apache-2.0
#include "runtime/stage.h"

#include <cstdio>

#include "config/harmless.h"

namespace canary::runtime {

using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;

template <class F>
void Stage::write(F const& what) {
  std::uint32_t const sequence = sequence_.load(memory_order_relaxed);
  sequence_.store(sequence + 1, memory_order_relaxed);
  std::atomic_thread_fence(memory_order_release);
  what();
  since_ns_.store(now_ns(), memory_order_relaxed);
  entered_.store(entered_.load(memory_order_relaxed) + 1, memory_order_relaxed);
  sequence_.store(sequence + 2, memory_order_release);
}

void Stage::enter(std::string_view what) {
  std::string const text = make_harmless(std::string{what}, kBytes);
  write([this, &text] { what_.store(text); });
}

void Stage::goes_on() {
  write([] {});
}

Stage::Seen Stage::look() const {
  Seen seen;
  // Whoever enters a step does so seldom; a text that keeps changing is not what stands still.
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::uint32_t const before = sequence_.load(memory_order_acquire);
    if (before % 2 == 1) continue;
    seen.what = what_.load();
    seen.entered = entered_.load(memory_order_relaxed);
    std::int64_t const since = since_ns_.load(memory_order_relaxed);
    std::atomic_thread_fence(memory_order_acquire);
    if (sequence_.load(memory_order_relaxed) != before) continue;
    std::int64_t const age = since == 0 ? 0 : now_ns() - since;
    seen.age = std::chrono::nanoseconds{age > 0 ? age : 0};
    return seen;
  }
  return {};
}

std::string to_text(Stage::Seen const& seen) {
  char age[32];
  std::snprintf(age, sizeof age, "%.1f s", std::chrono::duration<double>(seen.age).count());
  return (seen.what.empty() ? std::string{"nothing yet"} : seen.what) + ", for " + age;
}

}  // namespace canary::runtime

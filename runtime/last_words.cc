// SPDX-License-Identifier: Apache-2.0
#include "runtime/last_words.h"

#include <time.h>

#include <atomic>
#include <cstdlib>

namespace canary::runtime {
namespace {

constinit std::atomic<void (*)(char const*)> the_hook{nullptr};
constinit std::atomic<bool> ending{false};
constexpr timespec kSecondWaits{.tv_sec = 10, .tv_nsec = 0};

}  // namespace

void set_last_words(void (*hook)(char const* why)) {
  the_hook.store(hook, std::memory_order_release);
}

void end_by_defect(char const* why) noexcept {
  if (ending.exchange(true)) {
    ::nanosleep(&kSecondWaits, nullptr);
  } else if (auto* const hook = the_hook.load(std::memory_order_acquire)) {
    hook(why);
  }
  std::abort();
}

}  // namespace canary::runtime

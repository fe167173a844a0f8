// SPDX-License-Identifier: Apache-2.0
#include "runtime/last_words.h"

#include <time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
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

void abort_process() noexcept {
  if (::getpid() == 1) ::_exit(128 + SIGABRT);
  std::abort();
}

void end_by_defect(char const* why) noexcept {
  if (ending.exchange(true)) {
    ::nanosleep(&kSecondWaits, nullptr);
  } else if (auto* const hook = the_hook.load(std::memory_order_acquire)) {
    hook(why);
  }
  abort_process();
}

}  // namespace canary::runtime

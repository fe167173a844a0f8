// SPDX-License-Identifier: Apache-2.0
#include "runtime/crash.h"

#include <time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>

namespace canary::runtime {
namespace {

constinit std::atomic<void (*)(char const*)> the_handler{nullptr};
constinit std::atomic<bool> ending{false};
constexpr timespec kSecondWaits{.tv_sec = 10, .tv_nsec = 0};

}  // namespace

void set_crash_handler(void (*handler)(char const* why)) {
  the_handler.store(handler, std::memory_order_release);
}

void abort_process() noexcept {
  if (::getpid() == 1) ::_exit(128 + SIGABRT);
  std::abort();
}

void end_by_defect(char const* why) noexcept {
  if (ending.exchange(true)) {
    ::nanosleep(&kSecondWaits, nullptr);
  } else if (auto* const handler = the_handler.load(std::memory_order_acquire)) {
    handler(why);
  }
  abort_process();
}

}  // namespace canary::runtime

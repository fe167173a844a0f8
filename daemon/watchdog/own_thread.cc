// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/own_thread.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace canary::watchdog {

Pages::Pages(std::size_t bytes) : bytes_(bytes) {
  memory_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory_ == MAP_FAILED) {
    throw std::system_error(errno, std::generic_category(), "no memory for the watchdog");
  }
  ::mlock(memory_, bytes_);  // as far as the limit goes
}

Pages::~Pages() { ::munmap(memory_, bytes_); }

pthread_t start_thread(Pages const& stack, void* (*body)(void* self), void* self) {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstack(&attributes, stack.get(), stack.size());
  // Signals are others' business; the new thread inherits the mask.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  int const error = ::pthread_create(&thread, &attributes, body, self);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (error == 0) return thread;
  throw std::system_error(error, std::generic_category(), "no thread for the watchdog");
}

void enter_own_thread(char const* name) {
  ::pthread_setname_np(::pthread_self(), name);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -10);
}

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
#include "runtime/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>

namespace canary::runtime {

Signals::Signals(std::initializer_list<int> wanted) {
  ::sigemptyset(&set_);
  for (int const signal : wanted) ::sigaddset(&set_, signal);
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int Signals::wait() const {
  int signal = 0;
  while (::sigwait(&set_, &signal) == EINTR) {
  }
  return signal;
}

// SIGUSR2 is how the destructor wakes the thread; from anybody else it means nothing.
StopOnSignal::StopOnSignal() : signals_({SIGINT, SIGTERM, SIGXCPU, SIGUSR2}) {
  thread_ = std::thread{[this] {
    ::pthread_setname_np(::pthread_self(), "signals");
    while (true) {
      int const signal = signals_.wait();
      if (ending_.load(std::memory_order_acquire)) return;
      if (signal == SIGUSR2) continue;
      if (stop_.stop_requested()) ::_exit(130);
      stop_.request_stop();
    }
  }};
}

StopOnSignal::~StopOnSignal() {
  ending_.store(true, std::memory_order_release);
  ::pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

}  // namespace canary::runtime

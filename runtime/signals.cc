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

// SIGUSR2 is how the destructor wakes the thread.
StopOnSignal::StopOnSignal() : signals_({SIGINT, SIGTERM, SIGUSR2}) {
  thread_ = std::thread{[this] {
    ::pthread_setname_np(::pthread_self(), "signals");
    if (signals_.wait() == SIGUSR2) return;
    stop_.request_stop();
    if (signals_.wait() != SIGUSR2) ::_exit(130);
  }};
}

StopOnSignal::~StopOnSignal() {
  ::pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

}  // namespace canary::runtime

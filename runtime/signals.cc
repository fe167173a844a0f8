// SPDX-License-Identifier: Apache-2.0
#include "runtime/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
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

int Signals::wait_for(std::chrono::nanoseconds span) const {
  auto const until = std::chrono::steady_clock::now() + span;
  while (true) {
    auto const left = until - std::chrono::steady_clock::now();
    auto const rest = std::chrono::nanoseconds{std::max(left, decltype(left)::zero())};
    timespec const limit{.tv_sec = rest.count() / 1'000'000'000,
                         .tv_nsec = rest.count() % 1'000'000'000};
    int const signal = ::sigtimedwait(&set_, nullptr, &limit);
    if (signal > 0) return signal;
    if (errno != EINTR) return 0;
  }
}

// SIGUSR2 is how the destructor wakes the thread; from anybody else it means nothing.
StopOnSignal::StopOnSignal(int code) : signals_({SIGINT, SIGTERM, SIGXCPU, SIGUSR2}), code_(code) {
  thread_ = std::thread{[this] {
    ::pthread_setname_np(::pthread_self(), "signals");
    auto asked = std::chrono::steady_clock::time_point::max();
    while (true) {
      bool const stopping = stop_.stop_requested();
      int const signal =
          stopping ? signals_.wait_for(std::chrono::milliseconds{200}) : signals_.wait();
      if (ending_.load(std::memory_order_acquire)) return;
      if (stopping && std::chrono::steady_clock::now() - asked >= kUnwind) ::_exit(code_);
      if (signal == 0 || signal == SIGUSR2) continue;
      if (stopping) ::_exit(130);
      asked = std::chrono::steady_clock::now();
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

// SPDX-License-Identifier: Apache-2.0
// What hangs the threads beside the loop: workers, disk. And the scheduler's own wait.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "daemon/schedule/scheduler.h"
#include "tests/faults/inject.h"

namespace canary::faults {
namespace {

using Clock = std::chrono::steady_clock;

[[gnu::noinline]] bool sleeps_in_a_job(Clock::time_point end) {
  std::this_thread::sleep_until(end);
  return true;
}

[[gnu::noinline]] bool computes_in_a_job(Clock::time_point end) {
  for (std::uint64_t volatile count = 0;; count = count + 1) {
    if (count % 1'000'000 == 0 && Clock::now() >= end) return true;
  }
}

[[gnu::noinline]] bool opens_a_file_that_hangs(std::string const& path) {
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  return true;
}

// More blocking jobs than there are workers.
void exhausts_the_workers(Hands const& hands) {
  auto const end = end_of(hands);
  begins();
  for (int i = 0; i < 8; ++i) {
    never_waited_for(
        hands.parts.cpu.start(hands.parts.loop.executor(), [end] { return sleeps_in_a_job(end); }));
  }
}

void keeps_a_worker_busy(Hands const& hands) {
  auto const end = end_of(hands);
  begins();
  never_waited_for(
      hands.parts.cpu.start(hands.parts.loop.executor(), [end] { return computes_in_a_job(end); }));
}

// CANARY_FAULT_PATH is on a file system that never answers, or a FIFO without a writer.
void hangs_the_disk(Hands const& hands) {
  begins();
  never_waited_for(hands.parts.disk.start(
      hands.parts.loop.executor(), [path = hands.path] { return opens_a_file_that_hangs(path); }));
}

// The scheduler's wait loses the one who waits: it is never resumed, whatever comes. Reaches into
// private members; this file is compiled without access control.
void loses_the_scheduler(Hands const& hands) {
  auto& implementation = hands.parts.scheduler.changed_.first_->timer.impl_.get_implementation();
  auto& waiting = implementation.timer_data.op_queue_;
  waiting.front_ = nullptr;
  waiting.back_ = nullptr;
  begins();
}

void floods_with_signals(Hands const& hands) {
  auto const end = end_of(hands);
  begins();
  std::thread{[thread = ::pthread_self(), end] {
    while (Clock::now() < end) {
      ::pthread_kill(thread, SIGRTMIN + 3);
      ::kill(::getpid(), SIGUSR1);
      std::this_thread::sleep_for(std::chrono::microseconds{20});  // the loop gets its turn
    }
  }}.detach();
}

}  // namespace

void add_thread_faults(std::map<std::string, Fault>& faults) {
  faults["workers-exhausted"] = exhausts_the_workers;
  faults["worker-loop"] = keeps_a_worker_busy;
  faults["disk"] = hangs_the_disk;
  faults["lost-schedule"] = loses_the_scheduler;
  faults["signal-flood"] = floods_with_signals;
}

}  // namespace canary::faults

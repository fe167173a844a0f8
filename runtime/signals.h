// SPDX-License-Identifier: Apache-2.0
// Signals as values: blocked in every thread and taken by one that waits for them, so that SIGTERM
// works while the loop hangs.
// Thread: see each.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <initializer_list>
#include <stop_token>
#include <thread>

namespace canary::runtime {

class Signals {
 public:
  // Blocks these in the calling thread and in all that it starts from now on; ignores SIGPIPE.
  // Thread: main, before any other is started.
  explicit Signals(std::initializer_list<int> wanted);

  // Waits for the next of them. Thread: any, one at a time.
  int wait() const;
  // The same for at most so long; 0 where none came.
  int wait_for(std::chrono::nanoseconds span) const;

 private:
  sigset_t set_{};
};

// For a program that waits: the first SIGINT, SIGTERM or SIGXCPU (of a limit of CPU time,
// RLIMIT_CPU) asks it to stop, the second ends the process at once with exit code 130. What has
// been asked and still stands after kUnwind (a full pipe that nobody reads, say) is ended, too,
// with `code`. Other signals leave it listening for these.
class StopOnSignal {
 public:
  static constexpr std::chrono::seconds kUnwind{4};

  explicit StopOnSignal(int code = 130);
  ~StopOnSignal();
  StopOnSignal(StopOnSignal const&) = delete;
  StopOnSignal& operator=(StopOnSignal const&) = delete;
  std::stop_token token() const { return stop_.get_token(); }

 private:
  Signals signals_;
  int const code_;
  std::stop_source stop_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace canary::runtime

// SPDX-License-Identifier: Apache-2.0
// Signals as values: blocked in every thread and taken by one that waits for them, so that SIGTERM
// works while the loop hangs.
// Thread: see each.
#pragma once

#include <atomic>
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

 private:
  sigset_t set_{};
};

// For a program that waits in block_on: the first SIGINT, SIGTERM or SIGXCPU (of a limit of CPU
// time, RLIMIT_CPU) asks it to stop, the second ends the process at once with exit code 130. Other
// signals leave it listening for these.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(StopOnSignal const&) = delete;
  StopOnSignal& operator=(StopOnSignal const&) = delete;
  std::stop_token token() const { return stop_.get_token(); }

 private:
  Signals signals_;
  std::stop_source stop_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace canary::runtime

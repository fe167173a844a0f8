// SPDX-License-Identifier: Apache-2.0
// Samples of the threads beside the loop: their files in /proc are opened once and kept for as long
// as somebody looks.
//
//     threads.begin_round();
//     ...threads.look(thread, job, ...) for each thread...
//     threads.end_round();                  // those that nobody looked at are closed
//
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/watchdog/judge/grace.h"
#include "daemon/watchdog/judge/judgement.h"
#include "daemon/watchdog/sample/proc_reader.h"
#include "daemon/watchdog/sample/thread_history.h"
#include "runtime/tables.h"

namespace canary::watchdog {

class ThreadSampler {
 public:
  static constexpr std::size_t kThreads = 48;  // more are judged without samples

  void begin_round();
  void end_round();
  void close();

  struct Look {
    bool due = false;  // it has been at its job for long enough to be judged
    JobFacts job;      // with what was withheld from the thread and what it used
    ThreadSample before, newest;
  };
  // At what it does: `job` with its beginning and its limit. What befell everybody is
  // `everybody`'s, and not withheld from the thread alone.
  Look look(std::int32_t thread, JobFacts job, ThreadGrace const& everybody, std::int64_t now_ns);

  // By what it was last seen in: does a debugger hold it?
  bool is_traced(std::int32_t thread);
  // It ended, and only its name is there still.
  bool is_zombie(std::int32_t thread, std::int64_t now_ns);

  // The most that was withheld since the look at `from_ns` from a thread of the kinds that `of`
  // chooses. Between two looks alone: what was before counts for nobody.
  std::int64_t withheld_from(runtime::Tables& tables, bool (*of)(std::uint8_t kind),
                             std::int64_t from_ns, std::int64_t now_ns);

 private:
  struct Watched {
    ThreadFiles files;
    ThreadHistory history;
    CpuUsage usage;                                  // of the job that it is at
    std::int64_t withheld_ns = 0, job_ahead_ns = 0;  // in that job
    ThreadSample beside;                             // by withheld_from()
    std::int64_t ahead_ns = 0;                       // likewise
    bool seen = false;                               // in this round
  };
  Watched* watched(std::int32_t thread);

  std::array<Watched, kThreads> watched_{};
};

}  // namespace canary::watchdog

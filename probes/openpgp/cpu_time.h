// SPDX-License-Identifier: Apache-2.0
// CPU time that the calling thread has used since this was made.
// Thread: that one.
#pragma once

#include <time.h>

#include <chrono>

namespace canary::openpgp {

class CpuTime {
 public:
  std::chrono::nanoseconds since() const { return now() - began_; }

 private:
  static std::chrono::nanoseconds now() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
  }
  std::chrono::nanoseconds began_ = now();
};

}  // namespace canary::openpgp

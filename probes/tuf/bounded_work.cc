// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/bounded_work.h"

#include <ctime>

namespace canary::tuf {

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

Rejection BoundedWork::refusal(std::string role) const {
  auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(limit_).count();
  return {Rule::budget, std::move(role),
          "not looked at: verifying what came before has used up the run's " +
              std::to_string(seconds) + " s of CPU time"};
}

}  // namespace canary::tuf

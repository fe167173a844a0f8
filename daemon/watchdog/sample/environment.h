// SPDX-License-Identifier: Apache-2.0
// The machine as the clocks and the kernel's files tell of it.
// Thread: EnvironmentReader the watchdog's, which allocates nothing; the rest none (pure).
// Source: proc(5), cgroup-v1 cpu.stat (nr_throttled, throttled_time), cgroup-v2 (throttled_usec).
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/watchdog/judge/surroundings.h"

namespace canary::watchdog {

class EnvironmentReader {
 public:
  // Opens what is read later; before the thread starts or on it.
  void open(int processors);
  void close();
  // `costly` reads the files, too; else only the clocks, with the rest as it last was.
  Surroundings read(bool costly);

 private:
  int schedstat_ = -1, throttle_ = -1, stat_ = -1;
  std::int64_t processors_ = 1;
  Surroundings last_;
};

// Pure, for tests: nanoseconds of throttling in a cgroup's cpu.stat of either version; the cpu
// controller's path in /proc/self/cgroup ("" where there is none).
std::int64_t read_throttled(std::string_view text);
std::string_view cpu_cgroup(std::string_view text, bool& version2);

}  // namespace canary::watchdog

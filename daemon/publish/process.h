// SPDX-License-Identifier: Apache-2.0
// What the kernel says of this process, for the process_* metrics.
// Thread: any; reads /proc and may block.
#pragma once

#include <cstdint>
#include <optional>

namespace canary::daemon {

// A value that could not be read is left out.
struct ProcessFacts {
  std::optional<double> cpu_seconds;  // user and system
  std::optional<double> start_time;   // seconds since 1970
  std::optional<std::uint64_t> resident_bytes, virtual_bytes;
  std::optional<std::uint64_t> open_fds, max_fds;
  std::optional<std::uint64_t> threads;
};
ProcessFacts process_facts();

}  // namespace canary::daemon

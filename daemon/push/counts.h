// SPDX-License-Identifier: Apache-2.0
// What became of the samples that were to be sent.
// Thread: none (plain values).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace canary::push {

// Milliseconds since 1970, as samples have it.
using SampleTime = std::chrono::sys_time<std::chrono::milliseconds>;

struct Counts {
  std::uint64_t sent = 0;            // samples that the receiver took
  std::uint64_t overflow = 0;        // samples dropped: the queue was full
  std::uint64_t refused = 0;         // ... the receiver would not have them, now or later
  std::uint64_t failed = 0;          // requests that were not answered 2xx
  std::size_t waiting = 0;           // samples that are still to be sent
  std::size_t bytes = 0;             // ... compressed
  std::optional<SampleTime> oldest;  // of those; none: nothing waits
};

}  // namespace canary::push

// SPDX-License-Identifier: Apache-2.0
// What outlives the process: its last stall, when it was last alive, and which probes hang the loop
// again and again. The watchdog keeps it in memory alone, a thread of its own writes it down.
// Thread: see each.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "daemon/watchdog/judge/culprits.h"
#include "daemon/watchdog/tell/status.h"
#include "runtime/published.h"

namespace canary::watchdog {

// All but the culprits, as it is in memory and begins in the file.
struct Memory {
  static constexpr std::uint64_t kMagic = 0x32304D4D59524E43;  // "CNRYMM02"
  std::uint64_t magic = kMagic;
  std::uint64_t bytes = 0;         // sizeof(Memory): of another version of canaryd it is nothing
  std::int64_t alive_wall_ns = 0;  // rewritten each second, outside of the checksum
  std::uint64_t checksum = 0;      // of all that follows, in the file
  std::int64_t started_wall_ns = 0;
  std::int32_t process = 0;
  std::uint32_t clean = 0;
  std::array<char, 40> boot{};
  std::uint64_t unclean_restarts = 0;
  std::uint64_t last_incident = 0;  // its id
  std::uint32_t has_stall = 0;
  std::uint32_t hung = 0;  // the loop hangs, or the stop: whatever ends the process ends that
  LastStall stall;
  std::uint32_t culprits = 0;  // that follow in the file
  std::uint32_t unused = 0;
};

// Memory of its own (a memfd, where there can be one), zero at first and touched as far as it is
// used. Written by the watchdog alone.
struct MemoryBlock {
  std::atomic<std::int64_t> alive_wall_ns;
  std::atomic<std::uint64_t> changes;  // of all else
  runtime::Published<Memory> memory;
  Culprits culprits;
};

}  // namespace canary::watchdog

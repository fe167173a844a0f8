// SPDX-License-Identifier: Apache-2.0
// What outlives the process: its last stall, when it was last alive, and which probes hang the loop
// again and again. One small file that the watchdog overwrites in place.
// Thread: load_memory() and open_memory() at start; the rest the watchdog's, by pwrite(2) alone.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "daemon/watchdog/status.h"

namespace canary::watchdog {

// A probe in whose handlers the loop stalled, and when (wall clock).
struct Culprit {
  static constexpr std::size_t kTimes = 8;
  ProbeText probe{};
  std::array<std::int64_t, kTimes> wall_ns{};  // the newest anywhere; 0: unused
  std::uint32_t quarantined = 0;
  std::uint32_t stalls = 0;  // in all
};

// The file's content, as it is in memory.
struct Memory {
  static constexpr std::uint64_t kMagic = 0x31304D4D59524E43;  // "CNRYMM01"
  std::uint64_t magic = kMagic;
  std::uint64_t bytes = 0;         // sizeof(Memory): of another version of canaryd it is nothing
  std::int64_t alive_wall_ns = 0;  // rewritten each second, outside of the checksum
  std::uint64_t checksum = 0;      // of all that follows
  std::int64_t started_wall_ns = 0;
  std::int32_t process = 0;
  std::uint32_t clean = 0;
  std::array<char, 40> boot{};
  std::uint64_t unclean_restarts = 0;
  std::uint64_t last_episode = 0;  // its id
  std::uint32_t has_stall = 0;
  std::uint32_t hung = 0;  // the loop hangs, or the stop: whatever ends the process ends that
  LastStall stall;
  std::array<Culprit, kQuarantined> culprits{};
};

// What the file tells; a fresh one where there is none or it is damaged.
Memory load_memory(std::filesystem::path const& file);
// The memory of this start, given that of the last: counts the restart, forgets culprits after a
// clean stop. Pure.
Memory begin_memory(Memory const& last, std::int64_t wall_ns, std::int32_t process,
                    std::string_view boot);
PreviousRun previous_run(Memory const& last, std::int64_t wall_ns, std::string_view boot,
                         LastWords const& words = {});

std::uint64_t checksum_of(Memory const& memory);

// Notes a stall of the loop in the probe's handler; true when it is to be quarantined from now on.
bool blame(Memory& memory, std::string_view probe, std::int64_t wall_ns, int quarantine_after,
           std::int64_t window_ns);

// The file while it is open. Writing it may fail (a full disk); it then is tried again later.
class MemoryFile {
 public:
  // "" or why it cannot be kept. Ordinary code.
  std::string open(std::filesystem::path const& file);
  void close();
  bool write(Memory& memory);
  bool write_alive(Memory& memory, std::int64_t wall_ns);

 private:
  int file_ = -1;
};

}  // namespace canary::watchdog

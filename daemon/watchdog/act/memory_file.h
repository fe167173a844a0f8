// SPDX-License-Identifier: Apache-2.0
// The file in which the watchdog's memory outlives the process.
// Thread: the writer's (memory_writer.h); begin_memory() and previous_run() are pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/watchdog/act/memory.h"

namespace canary::watchdog {

// What the file holds.
struct StoredMemory {
  Memory memory;
  std::vector<Culprit> culprits;
};

// What the file tells; a fresh one where there is none or it is damaged.
StoredMemory load_memory(std::filesystem::path const& file);
// The memory of this start, given that of the last: counts the restart, forgets culprits after a
// clean stop.
StoredMemory begin_memory(StoredMemory last, std::int64_t wall_ns, std::int32_t process,
                          std::string_view boot);
PreviousRun previous_run(Memory const& last, std::int64_t wall_ns, std::string_view boot,
                         CrashRecord const& words = {});

// What the block holds now; whole, or as good as 100 attempts got it while it was written.
StoredMemory copy_of(MemoryBlock const& block);
void fill(MemoryBlock& block, StoredMemory const& from);

// The file while it is open. Writing it may fail (a full disk); it then is tried again later.
class MemoryFile {
 public:
  // "" or why it cannot be kept.
  std::string open(std::filesystem::path const& file);
  void close();
  bool write(StoredMemory& memory);
  bool write_alive(std::int64_t wall_ns);

 private:
  int file_ = -1;
};

}  // namespace canary::watchdog

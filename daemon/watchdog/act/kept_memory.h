// SPDX-License-Identifier: Apache-2.0
// What the watchdog keeps for the next start: its side of the memory that another thread writes
// down (memory_writer.h).
// Thread: the watchdog's. Allocates nothing, takes no lock.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/watchdog/act/memory.h"
#include "daemon/watchdog/judge/verdict.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

class KeptMemory {
 public:
  // `wake`: the eventfd of who writes it down; -1: nobody yet. Block and record outlive this.
  KeptMemory(MemoryBlock& block, int wake, Record& record);
  // Another block from now on, which the last start left; what was noted before goes on in it.
  void adopt(MemoryBlock& block, int wake);
  // The next start may find the tables, for this start has read what the last one left.
  bool is_kept() const { return wake_ >= 0; }

  std::uint64_t last_incident() const { return memory_.last_incident; }
  void set_last_incident(std::uint64_t id) { memory_.last_incident = id; }

  void remember(Incident const& incident, std::int64_t wall_ns);
  // What ends this process from now on, it ends a loop that hangs.
  void note_hung(bool hung);
  void note_alive(std::int64_t wall_ns);
  // A stall of the loop in the probe's handler; true when it is quarantined from now on.
  bool count_stall(std::string_view probe, std::int64_t wall_ns, int quarantine_after,
                   std::int64_t window_ns);
  void lift_quarantine();
  // Told to end: what the next start finds is no restart.
  void end_in_order();
  void publish();

 private:
  void publish_quarantine();

  MemoryBlock* block_;
  int wake_;
  Record& record_;
  Memory memory_;
};

}  // namespace canary::watchdog

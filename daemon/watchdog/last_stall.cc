// SPDX-License-Identifier: Apache-2.0
// The part that the watchdog's thread calls.
#include "daemon/watchdog/last_stall.h"

#include <unistd.h>

#include <cstddef>

#include "daemon/watchdog/fixed_text.h"

namespace canary::watchdog {
namespace {

bool same_text(ProbeText const& held, std::string_view text) {
  std::size_t size = 0;
  while (size < held.size() && held.data()[size] != 0) ++size;
  return std::string_view{held.data(), size} == text;
}

Culprit& place_for(Memory& memory, std::string_view probe) {
  Culprit* oldest = nullptr;
  std::int64_t oldest_ns = 0;
  for (Culprit& each : memory.culprits) {
    if (same_text(each.probe, probe)) return each;
    std::int64_t newest = 0;
    for (std::int64_t const time : each.wall_ns) newest = time > newest ? time : newest;
    if (each.quarantined != 0) continue;
    if (oldest == nullptr || newest < oldest_ns) {
      oldest = &each;
      oldest_ns = newest;
    }
  }
  if (oldest == nullptr) oldest = memory.culprits.data();  // all are quarantined already
  *oldest = {};
  copy_text(oldest->probe, probe);
  return *oldest;
}

}  // namespace

// FNV-1a.
std::uint64_t checksum_of(Memory const& memory) {
  auto const* const bytes = reinterpret_cast<unsigned char const*>(&memory);
  std::uint64_t sum = 0xCBF29CE484222325;
  for (std::size_t i = offsetof(Memory, started_wall_ns); i < sizeof memory; ++i) {
    sum = (sum ^ bytes[i]) * 0x100000001B3;
  }
  return sum;
}

bool blame(Memory& memory, std::string_view probe, std::int64_t wall_ns, int quarantine_after,
           std::int64_t window_ns) {
  Culprit& culprit = place_for(memory, probe);
  ++culprit.stalls;
  std::int64_t* oldest = culprit.wall_ns.data();
  for (std::int64_t& time : culprit.wall_ns) {
    if (time < *oldest) oldest = &time;
  }
  *oldest = wall_ns;
  int recent = 0;
  for (std::int64_t const time : culprit.wall_ns) {
    if (time != 0 && wall_ns - time <= window_ns) ++recent;
  }
  bool const fresh = culprit.quarantined == 0 && recent >= quarantine_after;
  if (fresh) culprit.quarantined = 1;
  return fresh;
}

void MemoryFile::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

bool MemoryFile::write(Memory& memory) {
  memory.checksum = checksum_of(memory);
  return file_ < 0 ||
         ::pwrite(file_, &memory, sizeof memory, 0) == static_cast<ssize_t>(sizeof memory);
}

bool MemoryFile::write_alive(Memory& memory, std::int64_t wall_ns) {
  memory.alive_wall_ns = wall_ns;
  return file_ < 0 || ::pwrite(file_, &memory.alive_wall_ns, sizeof memory.alive_wall_ns,
                               offsetof(Memory, alive_wall_ns)) ==
                          static_cast<ssize_t>(sizeof memory.alive_wall_ns);
}

}  // namespace canary::watchdog

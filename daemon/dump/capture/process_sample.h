// SPDX-License-Identifier: Apache-2.0
// What the kernel tells of this process: its threads, descriptors, mappings and memory, written
// into a raw dump as they are.
// Thread: made at start; the rest one at a time, async-signal-safe.
// Source: proc(5), getdents64(2), tcp(7).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/dump/write/section_writer.h"

namespace canary::dump {

// Kept open from the start, so that a process without a free descriptor can still be read.
class ProcessSample {
 public:
  ProcessSample();
  ~ProcessSample();
  ProcessSample(ProcessSample const&) = delete;
  ProcessSample& operator=(ProcessSample const&) = delete;

  // Kernel thread ids; returns how many there are, of which `into` has the first.
  std::size_t thread_ids(std::span<std::int32_t> into);

  // Sections of the dump.
  void maps(SectionWriter& out);
  void threads(SectionWriter& out, std::span<std::int32_t const> ids);
  void descriptors(SectionWriter& out);
  void memory(SectionWriter& out);

 private:
  class Room;
  void file_item(SectionWriter& out, std::uint32_t kind, std::uint32_t tag, int file);

  int task_ = -1, descriptor_ = -1, maps_ = -1, statm_ = -1;
  std::array<int, 3> pressure_{-1, -1, -1};
  int reserve_ = -1;  // closed while something is opened
  alignas(8) std::array<char, 16 * 1024> buffer_{};
};

}  // namespace canary::dump

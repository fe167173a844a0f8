// SPDX-License-Identifier: Apache-2.0
// The layout of a raw dump: a file header, then sections one after another, each readable without
// the others, so that a dump cut short anywhere still tells what it got.
// Little-endian, as the machine that writes it; read by the same program's helper.
// docs/dump-format.md is the page about it.
// Thread: none (values).
#pragma once

#include <array>
#include <cstdint>

#include "daemon/watchdog/judge/verdict.h"

namespace canary::dump {

inline constexpr std::uint64_t kFileMagic = 0x3130504D55444E43;  // "CNDUMP01"
inline constexpr std::uint32_t kSectionMagic = 0x54434553;       // "SECT"

enum class SectionType : std::uint32_t {
  about = 1,       // AboutSection, once
  incidents,       // watchdog::Incident, several
  tables,          // runtime::Tables' block
  texts,           // items: TextOffset as tag, the text
  emergency_text,  // text
  stack,           // StackSection, then its bytes; one section for each capture
  maps,            // /proc/self/maps
  threads,         // items: thread id as tag for `stat`; then 1.. for status, wchan, …
  descriptors,     // items: descriptor as tag, "target|local|peer|in|out"
  memory,          // items: MemoryItem as tag, the file's content
  log,             // text, lines
  versions,        // text
  end,             // empty: the dump is complete
};

// Precedes each section's bytes; starts at a multiple of 8.
struct SectionHeader {
  std::uint32_t magic = kSectionMagic;
  SectionType type{};
  std::uint64_t length = 0;    // of the content; filled in when it is complete
  std::uint32_t checksum = 0;  // CRC-32C of the content
  std::uint32_t complete = 0;  // 1 once all of it is there
};

// Sections made of items have one of these before each.
struct ItemHeader {
  std::uint32_t kind = 0;
  std::uint32_t tag = 0;
  std::uint32_t length = 0;
};

// AboutSection::reason of a dump that the next process wrote, from tables alone: its `process` is
// the dead one, its times are of that one's end.
inline constexpr char kPostMortem[] = "post-mortem";

enum class ThreadItem : std::uint32_t { stat = 1, status, wchan, syscall, schedstat };
enum class MemoryItem : std::uint32_t { statm = 1, pressure_cpu, pressure_memory, pressure_io };

struct AboutSection {
  std::int32_t process = 0;
  std::int32_t clock_ticks = 100;  // of /proc/…/stat in a second
  std::int64_t wall_ns = 0, monotonic_ns = 0, boottime_ns = 0;
  std::int64_t decided_ns = 0;  // monotonic
  std::uint64_t number = 0;
  std::uint64_t image_start = 0;  // where the program's image is mapped
  std::uint64_t vdso = 0;         // where the kernel's own code is mapped; 0: nowhere
  std::array<unsigned char, 20> build_id{};
  std::array<char, 32> reason{};
  std::array<char, 256> program{};  // the program's file
};

struct StackSection {
  std::int32_t thread = 0;
  std::uint32_t source = 0;  // Capture::Source
  std::uint32_t known = 0;
  std::uint32_t culprit = 0;  // 1: the dump is about this thread
  std::int64_t taken_ns = 0, waited_ns = 0;
  std::array<std::uint64_t, 17> registers{};
  std::uint64_t stack_start = 0, stack_bytes = 0;
};

}  // namespace canary::dump

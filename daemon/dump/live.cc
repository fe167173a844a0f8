// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/live.h"

#include <charconv>
#include <sstream>

#include "daemon/dump/capture/capture.h"
#include "runtime/thread_row.h"

namespace canary::dump {
namespace {

constexpr std::size_t kBesideTables = 8 * 1024 * 1024;

DumpPlace without_directory(DumpPlace place) {
  place.directory.clear();
  return place;
}

}  // namespace

void prepare_this_thread() { thread_local CaptureStack const stack; }

void prepare_threads() { runtime::at_thread_start(prepare_this_thread); }

LiveDump::LiveDump(DumpPlace place) : raw_(without_directory(std::move(place))) {}

DumpDocument LiveDump::read(std::string_view reason,
                            std::vector<watchdog::Incident> const& incidents) {
  std::lock_guard const lock{mutex_};
  auto* const tables = runtime::tables();
  std::vector<std::byte> memory(kBesideTables + (tables == nullptr ? 0 : tables->block().size()));
  DumpRequest const request{
      .reason = reason, .incidents = incidents, .decided_ns = runtime::now_ns()};
  std::size_t const size = raw_.write_to_memory(request, memory);
  DumpDocument document = read_dump({memory.data(), size});
  name_modules(document);
  return document;
}

void name_modules(DumpDocument& document) {
  struct Mapping {
    std::uint64_t start = 0, end = 0, offset = 0;
    std::string file;
  };
  std::vector<Mapping> mappings;
  std::istringstream lines{document.maps};
  for (std::string line; std::getline(lines, line);) {
    // "START-END rwxp OFFSET MAJOR:MINOR INODE   FILE"
    std::istringstream fields{line};
    std::string range, rights, offset, device, inode, file;
    fields >> range >> rights >> offset >> device >> inode >> file;
    if (rights.find('x') == std::string::npos) continue;
    Mapping mapping{.file = file};
    char const* const end = range.data() + range.size();
    auto const parsed = std::from_chars(range.data(), end, mapping.start, 16);
    if (parsed.ptr != end) std::from_chars(parsed.ptr + 1, end, mapping.end, 16);
    std::from_chars(offset.data(), offset.data() + offset.size(), mapping.offset, 16);
    mappings.push_back(std::move(mapping));
  }
  for (auto& stack : document.stacks) {
    if ((stack.raw.known >> kRegisterCode & 1) == 0 || !stack.frames.empty()) continue;
    std::uint64_t const code = stack.raw.registers[kRegisterCode];
    NativeFrame frame{.address = code};
    for (auto const& mapping : mappings) {
      if (code < mapping.start || code >= mapping.end) continue;
      frame.module = mapping.file;
      frame.offset = code - mapping.start + mapping.offset;
    }
    stack.frames.push_back(std::move(frame));
    stack.note = "only where it is: functions and callers are in a written dump";
  }
}

}  // namespace canary::dump

// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/work.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>
#include <sstream>
#include <system_error>
#include <vector>

#include "daemon/dump/capture/capture.h"
#include "daemon/dump/helper/registers.h"
#include "daemon/dump/read/redact.h"
#include "daemon/dump/render/render.h"
#include "daemon/dump/render/text_lines.h"

namespace canary::dump {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kKeptInRuntime = 8;  // it is memory
constexpr std::uint64_t kBytesInRuntime = 64 * 1024 * 1024;
constexpr std::size_t kPage = 4'096;

std::string because(std::string const& what, std::string const& path) {
  return "cannot " + what + " " + path + ": " + std::generic_category().message(errno);
}

bool read_file(std::string const& path, std::vector<std::byte>& into) {
  int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t size = 0;
  std::vector<std::byte> part(1024 * 1024);
  while ((size = ::read(file, part.data(), part.size())) > 0) {
    into.insert(into.end(), part.begin(), part.begin() + size);
  }
  ::close(file);
  return size == 0;
}

// Under a temporary name first; pages of zeros become holes.
std::string write_file(std::string const& path, std::span<std::byte const> bytes) {
  std::string const temporary = path + ".new";
  int const file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return because("make", temporary);
  bool good = ::ftruncate(file, static_cast<off_t>(bytes.size())) == 0;
  for (std::size_t at = 0; at < bytes.size() && good; at += kPage) {
    auto const page = bytes.subspan(at, std::min(kPage, bytes.size() - at));
    if (std::ranges::all_of(page, [](std::byte each) { return each == std::byte{0}; })) continue;
    good = ::pwrite(file, page.data(), page.size(), static_cast<off_t>(at)) ==
           static_cast<ssize_t>(page.size());
  }
  good = good && ::fsync(file) == 0;
  int const error = errno;
  ::close(file);
  errno = error;
  if (good && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  std::string const trouble = because("write", path);
  ::unlink(temporary.c_str());
  return trouble;
}

std::span<std::byte const> bytes_of(std::string const& text) {
  return std::as_bytes(std::span{text});
}

// What makes two stalls the same: who, in what way, and where.
std::string signature_of(DumpDocument const& document) {
  std::string text;
  if (document.incidents.empty()) {
    text = document.about.reason.data();
  } else {
    auto const& incident = document.incidents.front();
    text = std::string{to_text(incident.subject)} + " " + std::string{to_text(incident.level)} +
           " " + std::string{to_text(incident.verdict)} + " " + incident.name.data();
  }
  if (auto const* frame = culprit_frame(document)) {
    text += " " + frame->file + ":" + std::to_string(frame->line);
  }
  return text;
}

std::string summary_line(DumpDocument const& document, std::string const& stem) {
  std::string text = utc_text(document.about.wall_ns) + " " + stem + " " + headline(document);
  if (auto const* frame = culprit_frame(document)) {
    text += " at " + frame->file + ":" + std::to_string(frame->line) + " " + frame->function;
  }
  return text;
}

// A dump in the process's memory ("/proc/12/fd/7") gets a name of its own.
std::string stem_of(std::string const& path, DumpDocument const& document) {
  if (!path.starts_with("/proc/")) return fs::path{path}.stem().string();
  return "memory-" + std::to_string(document.about.process) + "-" +
         std::to_string(document.about.number) + "-" + document.about.reason.data();
}

bool holds(std::string const& path, std::string const& text) {
  std::vector<std::byte> there;
  return read_file(path, there) && std::ranges::equal(there, bytes_of(text));
}

// Numbers begin anew where the runtime directory does: a dump of before keeps its files.
std::string free_base(std::string const& base, std::string const& object) {
  std::error_code unknown;
  std::string free = base;
  for (int copy = 2; fs::exists(free + ".json", unknown) && !holds(free + ".json", object);
       ++copy) {
    free = base + "-" + std::to_string(copy);
  }
  return free;
}

}  // namespace

AddressSpace& Work::space_of(DumpDocument const& document) {
  // Only where code is mapped matters; heaps grow from dump to dump.
  std::string code;
  std::istringstream lines{document.maps};
  for (std::string line; std::getline(lines, line);) {
    if (line.find('/') != std::string::npos || line.find("[vdso]") != std::string::npos) {
      code += line + "\n";
    }
  }
  if (space_ == nullptr || process_ != document.about.process || space_->maps() != code) {
    process_ = document.about.process;
    space_ = std::make_unique<AddressSpace>(code, process_, document.about.vdso, held_);
  }
  return *space_;
}

namespace {
// Has the thread stayed where it was when it was first looked at?
bool agree(NativeStack const& first, NativeStack const& later) {
  for (std::size_t i = 0; i < first.raw.registers.size(); ++i) {
    bool const known = (first.raw.known >> i & 1U) != 0;
    if (known && first.raw.registers[i] != later.raw.registers[i]) return false;
  }
  return true;
}
}  // namespace

void Work::unwind(DumpDocument& document) {
  if (document.maps.empty()) return;
  bool const running = still_runs(document.about);
  if (running) held_.hold(document.about.process);  // what it has loaded since
  AddressSpace& space = space_of(document);
  for (auto& stack : document.stacks) {
    bool const answered = stack.raw.source == Capture::handler;
    // A thread that sleeps tells two registers of itself; from outside all can be had.
    NativeStack taken = stack;
    bool outside = !answered && running && take_registers(document.about.process, taken);
    std::string note = taken.note;
    if (outside && !agree(stack, taken)) {
      // What is told is what was judged, not what came after it.
      outside = false;
      note = "as copied when it was judged; it has moved on since";
    }
    if (outside) stack = std::move(taken);
    space.unwind(stack, running);
    if (outside) {
      stack.note = "registers taken from outside, later" +
                   (stack.note.empty() ? std::string{} : "; " + stack.note);
    } else if (!answered && !note.empty()) {
      stack.note = note + (stack.note.empty() ? std::string{} : "; " + stack.note);
    }
  }
}

DumpDocument Work::read(std::string const& path) {
  std::vector<std::byte> raw;
  if (!read_file(path, raw)) {
    DumpDocument nothing;
    nothing.notes.push_back(because("read", path));
    return nothing;
  }
  DumpDocument document = read_dump(raw);
  unwind(document);
  return document;
}

std::string Work::finish(std::string const& path) {
  // Once is enough, and all that there is: the stacks are forgotten then. A dump found at the start
  // may be announced as well.
  std::error_code unknown;
  if (!path.starts_with("/proc/") &&
      fs::exists(fs::path{path}.replace_extension(".json"), unknown)) {
    return {};
  }
  std::vector<std::byte> raw;
  if (!read_file(path, raw)) return because("read", path);
  DumpDocument document = read_dump(raw);
  unwind(document);
  std::string const text = render_text(document);
  std::string const object = render_json(document);
  std::string const stem = stem_of(path, document);
  DumpSummary const summary{
      .stem = stem, .signature = signature_of(document), .line = summary_line(document, stem)};
  forget_stacks(raw);
  std::string trouble;
  auto const keep = [&](std::string const& directory, Retention const& limits) {
    if (directory.empty()) return;
    std::error_code error;
    fs::create_directories(directory, error);
    std::string const base = free_base(directory + "/" + stem, object);
    for (auto const& result :
         {write_file(base + ".txt", bytes_of(text)), write_file(base + ".json", bytes_of(object)),
          write_file(base + ".raw", raw)}) {
      if (trouble.empty()) trouble = result;
    }
    DumpSummary kept = summary;
    kept.stem = fs::path{base}.filename().string();
    retain(directory, limits, kept);
  };
  keep(place_.runtime, {.keep = std::min(kKeptInRuntime, place_.limits.keep),
                        .keep_bytes = std::min(kBytesInRuntime, place_.limits.keep_bytes)});
  keep(place_.state, place_.limits);
  return trouble;
}

void Work::finish_leftovers() {
  std::vector<std::string> left;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(place_.runtime, error)) {
    fs::path const& path = entry.path();
    if (path.extension() != ".raw" || path.filename().string().starts_with(".")) continue;
    std::error_code unknown;
    if (!fs::exists(fs::path{path}.replace_extension(".json"), unknown)) {
      left.push_back(path.string());
    }
  }
  std::ranges::sort(left);
  for (auto const& path : left) finish(path);
}

}  // namespace canary::dump

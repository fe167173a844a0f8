// SPDX-License-Identifier: Apache-2.0
// Where raw dumps go.
#include <unistd.h>

#include <cerrno>

#include "daemon/dump/capture/raw_dump.h"
#include "daemon/dump/capture/raw_dump_memory.h"
#include "daemon/text/fixed_text.h"

namespace canary::dump {
namespace {

// For a disk to take a dump. The watchdog looks at nothing else meanwhile.
constexpr std::int64_t kDiskTakesIt = 500'000'000;
constexpr std::int64_t kBeforeTheEnd = 2'000'000'000;

}  // namespace

// "stall-000012-loop", "stall-000012-loop-hung", "dump-000013-SIGUSR1"; "-2" where there is one.
void RawDump::name_file(DumpRequest const& request) {
  stem_ = {};
  FixedText stem{{stem_.data(), stem_.size() - 1}};
  if (request.incidents.empty() || request.reason == "ended") {
    (stem << "dump-").natural(request.number, 6) << "-" << request.reason;
  } else {
    auto const& incident = request.incidents.front();
    (stem << "stall-").natural(request.number, 6) << "-" << to_text(incident.subject);
    if (incident.level > watchdog::Level::stalled) stem << "-" << to_text(incident.level);
  }
  if (!files_) return;
  MemoryDumps::Stem const wanted = stem_;
  files_->free_name(wanted.data(), stem_);
}

void RawDump::choose_file() {
  in_file_ = false;
  if (memory_dumps_) {
    file_ = memory_dumps_->claim();
    return;
  }
  file_ = files_ ? files_->open_raw() : -1;
  in_file_ = file_ >= 0;
  if (in_file_) return;
  file_ = memory_;
  if (memory_ >= 0) [[maybe_unused]]
    auto const emptied = ::ftruncate(memory_, 0);
}

DumpResult RawDump::finish() {
  if (!open_) return result_;
  writer_.begin(SectionType::end);
  writer_.end();
  open_ = false;
  result_.bytes = writer_.size();
  result_.written = file_ >= 0 && writer_.error() == 0;
  if (memory_dumps_) {
    finish_in_memory();
  } else {
    finish_file();
  }
  if (writer_.error() != 0 && file_ >= 0) result_.error = writer_.error();
  DumpResult const result = result_;
  if (files_) files_->reserve();
  return result;
}

void RawDump::finish_file() {
  bool in_memory = !in_file_;
  if (in_file_) {
    if (!files_->name_raw(stem_.data(), result_.bytes, result_.path)) {
      in_memory = keep_in_memory();
      result_.written = result_.written && in_memory;
    }
    files_->close_raw();
  }
  result_.error = files_ ? files_->error() : 0;
  if (!in_memory) return;
  ShortText<256> path;
  (path << "/proc/").number(::getpid());
  (path << "/fd/").number(memory_);
  copy_text(result_.path, path.view());
}

void RawDump::finish_in_memory() {
  if (file_ < 0) {
    result_.error = EBUSY;  // the disk has not taken those before
    result_.bytes = 0;
    return;
  }
  memory_dumps_->complete(stem_.data(),
                          {.bytes = result_.bytes, .text_at = text_at_, .text_bytes = text_size_});
  auto const kept = memory_dumps_->wait(ends_process_ ? kBeforeTheEnd : kDiskTakesIt, result_.path);
  result_.waits = kept == MemoryDumps::Kept::waiting;
  result_.error = memory_dumps_->error();
}

bool RawDump::next_late(std::span<char, 256> path) {
  MemoryDumps::Path late{};
  if (!memory_dumps_ || !memory_dumps_->next_late(late)) return false;
  copy_text(path, late.data());
  return true;
}

// A file that no name leads to is copied into the one of last resort.
bool RawDump::keep_in_memory() {
  if (memory_ < 0 || ::ftruncate(memory_, 0) != 0) return false;
  std::uint64_t done = 0;
  while (done < result_.bytes) {
    ssize_t const got =
        ::pread(file_, buffers_->file.data(), buffers_->file.size(), static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    auto const put = ::pwrite(memory_, buffers_->file.data(), static_cast<std::size_t>(got),
                              static_cast<off_t>(done));
    if (put != got) return false;
    done += static_cast<std::uint64_t>(got);
  }
  return true;
}

}  // namespace canary::dump

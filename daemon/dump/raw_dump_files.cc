// SPDX-License-Identifier: Apache-2.0
// Where raw dumps go: files reserved beforehand, so that neither a full disk nor a process without
// a free descriptor keeps one from being written.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/dump/fixed_text.h"
#include "daemon/dump/raw_dump.h"
#include "daemon/dump/raw_dump_memory.h"
#include "runtime/tables.h"

namespace canary::dump {
namespace {

constexpr std::size_t kBesideTables = 1024 * 1024;  // stacks, /proc, log
constexpr std::size_t kTextReserve = 64 * 1024;

void copy_text(std::span<char> into, std::string_view text) {
  std::size_t const size = text.size() < into.size() ? text.size() : into.size() - 1;
  for (std::size_t i = 0; i < size; ++i) into[i] = text[i];
  into[size] = '\0';
}

bool exists(int directory, char const* name) { return ::faccessat(directory, name, F_OK, 0) == 0; }

}  // namespace

void RawDump::reserve(Spare& spare) {
  if (spare.descriptor >= 0 || descriptors_->directory < 0) return;
  int const file = ::openat(descriptors_->directory, spare.name.data(),
                            O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) {
    if (result_.error == 0) result_.error = errno;
    return;
  }
  auto* const tables = runtime::tables();
  std::size_t const size = &spare == &text_spare_
                               ? kTextReserve
                               : kBesideTables + (tables == nullptr ? 0 : tables->block().size());
  // A file whose room is not certain is still better than none.
  if (::fallocate(file, 0, 0, static_cast<off_t>(size)) != 0 && result_.error == 0) {
    result_.error = errno;
  }
  spare.descriptor = file;
}

// "stall-000012-loop", "stall-000012-loop-hung", "dump-000013-SIGUSR1"; "-2" where there is one.
void RawDump::name_file(DumpRequest const& request) {
  for (unsigned copy = 1; copy < 10; ++copy) {
    stem_ = {};
    FixedText stem{{stem_.data(), stem_.size() - 1}};
    if (request.episodes.empty()) {
      (stem << "dump-").natural(request.number, 6) << "-" << request.reason;
    } else {
      auto const& episode = request.episodes.front();
      (stem << "stall-").natural(request.number, 6) << "-" << to_text(episode.subject);
      if (episode.level > watchdog::Level::stalled) stem << "-" << to_text(episode.level);
    }
    if (copy > 1) (stem << "-").natural(copy);
    ShortText<128> raw;
    raw << stem_.data() << ".raw";
    if (!exists(descriptors_->directory, raw.c_str())) return;
  }
}

void RawDump::choose_file() {
  for (auto& spare : spares_) {
    reserve(spare);
    if (spare.descriptor < 0) continue;
    used_ = &spare;
    file_ = spare.descriptor;
    return;
  }
  used_ = nullptr;
  file_ = memory_;
  if (memory_ >= 0) [[maybe_unused]]
    auto const emptied = ::ftruncate(memory_, 0);
}

void RawDump::place_text() {
  reserve(text_spare_);
  if (text_spare_.descriptor < 0) return;
  std::size_t done = 0;
  while (done < text_size_) {
    ssize_t const written = ::pwrite(text_spare_.descriptor, buffers_->text.data() + done,
                                     text_size_ - done, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      if (result_.error == 0) result_.error = written < 0 ? errno : EIO;
      break;
    }
    done += static_cast<std::size_t>(written);
  }
  [[maybe_unused]] auto const cut = ::ftruncate(text_spare_.descriptor, static_cast<off_t>(done));
  ShortText<128> name;
  name << stem_.data() << ".txt";
  bool const named = ::renameat(descriptors_->directory, text_spare_.name.data(),
                                descriptors_->directory, name.c_str()) == 0;
  ShortText<256> path;
  path << place_.directory.c_str() << "/" << (named ? name.c_str() : text_spare_.name.data());
  copy_text(result_.text_path, path.view());
  if (!named) return;
  ::close(text_spare_.descriptor);
  text_spare_.descriptor = -1;
}

DumpResult RawDump::finish() {
  if (!open_) return result_;
  writer_.begin(SectionType::end);
  writer_.end();
  open_ = false;
  result_.bytes = writer_.size();
  result_.written = file_ >= 0 && writer_.error() == 0;
  if (writer_.error() != 0) result_.error = writer_.error();
  ShortText<256> path;
  if (used_ == nullptr) {
    (path << "/proc/").number(::getpid());
    (path << "/fd/").number(memory_);
  } else {
    [[maybe_unused]] auto const cut = ::ftruncate(file_, static_cast<off_t>(result_.bytes));
    ShortText<128> name;
    name << stem_.data() << ".raw";
    bool const named = ::renameat(descriptors_->directory, used_->name.data(),
                                  descriptors_->directory, name.c_str()) == 0;
    path << place_.directory.c_str() << "/" << (named ? name.c_str() : used_->name.data());
    if (named) {
      ::close(used_->descriptor);
      used_->descriptor = -1;
    }
  }
  copy_text(result_.path, path.view());
  DumpResult const result = result_;
  for (auto& spare : spares_) reserve(spare);
  reserve(text_spare_);
  return result;
}

}  // namespace canary::dump

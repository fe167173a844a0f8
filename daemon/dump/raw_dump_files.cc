// SPDX-License-Identifier: Apache-2.0
// Where raw dumps go: files reserved beforehand, so that neither a full disk nor a process without
// a free descriptor keeps one from being written.
#include <fcntl.h>
#include <sys/stat.h>
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

// Does the name lead to what is open as `file`? Somebody may have deleted or replaced it.
bool leads_to(int directory, char const* name, int file) {
  struct stat named{};
  struct stat open{};
  return ::fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstat(file, &open) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

}  // namespace

void RawDump::reserve(Spare& spare) {
  if (spare.descriptor >= 0 || descriptors_->directory < 0) return;
  // What stands under that name is nobody's dump: rescue() took those at the start.
  ::unlinkat(descriptors_->directory, spare.name.data(), 0);
  int const file = ::openat(descriptors_->directory, spare.name.data(),
                            O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
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

// Since the last dump the folder or a file in it may have been deleted or replaced: what is lost is
// made anew, while there still is time to.
void RawDump::look_after_places() {
  if (descriptors_->directory < 0) return;
  char const* const path = place_.directory.c_str();
  if (!leads_to(AT_FDCWD, path, descriptors_->directory)) {
    if (::mkdir(path, 0700) != 0 && errno != EEXIST) return;
    int const again = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (again < 0) return;
    ::close(descriptors_->directory);
    descriptors_->directory = again;
  }
  for (Spare* const spare : {&spares_[0], &spares_[1], &text_spare_}) {
    if (spare->descriptor < 0) continue;
    if (leads_to(descriptors_->directory, spare->name.data(), spare->descriptor)) continue;
    ::close(spare->descriptor);
    spare->descriptor = -1;
  }
}

// Names the file after the dump and says where it is then; false, with an errno, where that place
// does not lead to it. It is open still.
bool RawDump::give_name(Spare& spare, std::string_view extension, std::span<char> path) {
  ShortText<128> name;
  name << stem_.data() << extension;
  ShortText<256> whole;
  whole << place_.directory.c_str() << "/" << name.c_str();
  bool const named = ::renameat(descriptors_->directory, spare.name.data(), descriptors_->directory,
                                name.c_str()) == 0;
  if (named && leads_to(AT_FDCWD, whole.c_str(), spare.descriptor)) {
    copy_text(path, whole.view());
    return true;
  }
  if (result_.error == 0) result_.error = named ? ENOENT : errno;
  return false;
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

// "stall-000012-loop", "stall-000012-loop-hung", "dump-000013-SIGUSR1"; "-2" where there is one.
void RawDump::name_file(DumpRequest const& request) {
  for (unsigned copy = 1; copy < 10; ++copy) {
    stem_ = {};
    FixedText stem{{stem_.data(), stem_.size() - 1}};
    if (request.episodes.empty() || request.reason == "ended") {
      (stem << "dump-").natural(request.number, 6) << "-" << request.reason;
    } else {
      auto const& episode = request.episodes.front();
      (stem << "stall-").natural(request.number, 6) << "-" << to_text(episode.subject);
      if (episode.level > watchdog::Level::stalled) stem << "-" << to_text(episode.level);
    }
    if (copy > 1) (stem << "-").natural(copy);
    // The helper leaves alone what it has finished, though the raw file may be gone since.
    ShortText<128> raw, json;
    raw << stem_.data() << ".raw";
    json << stem_.data() << ".json";
    if (!exists(descriptors_->directory, raw.c_str()) &&
        !exists(descriptors_->directory, json.c_str())) {
      return;
    }
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
  give_name(text_spare_, ".txt", result_.text_path);
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
  bool in_memory = used_ == nullptr;
  if (used_ != nullptr) {
    [[maybe_unused]] auto const cut = ::ftruncate(file_, static_cast<off_t>(result_.bytes));
    if (!give_name(*used_, ".raw", result_.path)) {
      in_memory = keep_in_memory();
      result_.written = result_.written && in_memory;
    }
    ::close(used_->descriptor);
    used_->descriptor = -1;
  }
  if (in_memory) {
    ShortText<256> path;
    (path << "/proc/").number(::getpid());
    (path << "/fd/").number(memory_);
    copy_text(result_.path, path.view());
  }
  DumpResult const result = result_;
  for (auto& spare : spares_) reserve(spare);
  reserve(text_spare_);
  return result;
}

}  // namespace canary::dump

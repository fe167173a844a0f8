// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/write/dump_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"

namespace canary::dump {
namespace {

constexpr std::size_t kBesideTables = 1024 * 1024;  // stacks, /proc, log
constexpr std::size_t kTextReserve = 64 * 1024;
constexpr unsigned kCopies = 9;  // of one name

bool exists(int directory, char const* name) { return ::faccessat(directory, name, F_OK, 0) == 0; }

// Does the name lead to what is open as `file`? Somebody may have deleted or replaced it.
bool leads_to(int directory, char const* name, int file) {
  struct stat named{};
  struct stat open{};
  return ::fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstat(file, &open) == 0 && named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

}  // namespace

void DumpFiles::note(int error) {
  if (error_ == 0) error_ = error;
}

void DumpFiles::prepare() {
  error_ = 0;
  if (descriptor_ < 0) return;
  char const* const path = directory_.c_str();
  if (!leads_to(AT_FDCWD, path, descriptor_)) {
    if (::mkdir(path, 0700) != 0 && errno != EEXIST) return;
    int const again = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (again < 0) return;
    ::close(descriptor_);
    descriptor_ = again;
  }
  for (Spare* const spare : {&spares_[0], &spares_[1], &text_spare_}) {
    if (spare->descriptor < 0) continue;
    if (leads_to(descriptor_, spare->name.data(), spare->descriptor)) continue;
    ::close(spare->descriptor);
    spare->descriptor = -1;
  }
}

// The helper leaves alone what it has finished, though the raw file may be gone since.
bool DumpFiles::taken(char const* stem) const {
  ShortText<128> raw, json;
  raw << stem << ".raw";
  json << stem << ".json";
  return exists(descriptor_, raw.c_str()) || exists(descriptor_, json.c_str());
}

void DumpFiles::free_name(std::string_view stem, std::span<char> name) const {
  copy_text(name, stem);
  for (unsigned copy = 2; copy <= kCopies && taken(name.data()); ++copy) {
    ShortText<128> next;
    (next << stem << "-").natural(copy);
    copy_text(name, next.view());
  }
}

void DumpFiles::reserve() {
  for (auto& spare : spares_) reserve(spare);
  reserve(text_spare_);
}

void DumpFiles::reserve(Spare& spare) {
  if (spare.descriptor >= 0 || descriptor_ < 0) return;
  // What stands under that name is nobody's dump: rescue() took those at the start.
  ::unlinkat(descriptor_, spare.name.data(), 0);
  int const file = ::openat(descriptor_, spare.name.data(),
                            O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return note(errno);
  auto* const tables = runtime::tables();
  std::size_t const size = &spare == &text_spare_
                               ? kTextReserve
                               : kBesideTables + (tables == nullptr ? 0 : tables->block().size());
  // A file whose room is not certain is still better than none.
  if (::fallocate(file, 0, 0, static_cast<off_t>(size)) != 0) note(errno);
  spare.descriptor = file;
}

int DumpFiles::open_raw() {
  for (auto& spare : spares_) {
    reserve(spare);
    if (spare.descriptor < 0) continue;
    used_ = &spare;
    return spare.descriptor;
  }
  return -1;
}

bool DumpFiles::name_raw(std::string_view stem, std::uint64_t bytes, std::span<char> path) {
  [[maybe_unused]] auto const cut = ::ftruncate(used_->descriptor, static_cast<off_t>(bytes));
  return give_name(*used_, stem, ".raw", path);
}

void DumpFiles::close_raw() {
  ::close(used_->descriptor);
  used_->descriptor = -1;
  used_ = nullptr;
}

bool DumpFiles::give_name(Spare& spare, std::string_view stem, std::string_view extension,
                          std::span<char> path) {
  ShortText<128> name;
  name << stem << extension;
  ShortText<256> whole;
  whole << directory_.c_str() << "/" << name.c_str();
  bool const named = ::renameat(descriptor_, spare.name.data(), descriptor_, name.c_str()) == 0;
  if (named && leads_to(AT_FDCWD, whole.c_str(), spare.descriptor)) {
    copy_text(path, whole.view());
    return true;
  }
  note(named ? ENOENT : errno);
  return false;
}

void DumpFiles::place_text(std::string_view stem, std::string_view text, std::span<char> path) {
  reserve(text_spare_);
  if (text_spare_.descriptor < 0) return;
  std::size_t done = 0;
  while (done < text.size()) {
    ssize_t const written = ::pwrite(text_spare_.descriptor, text.data() + done, text.size() - done,
                                     static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      note(written < 0 ? errno : EIO);
      break;
    }
    done += static_cast<std::size_t>(written);
  }
  [[maybe_unused]] auto const cut = ::ftruncate(text_spare_.descriptor, static_cast<off_t>(done));
  give_name(text_spare_, stem, ".txt", path);
  ::close(text_spare_.descriptor);
  text_spare_.descriptor = -1;
}

}  // namespace canary::dump

// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program: notes down before each change to files under $POWER_CUT_FOLDER how to
// take it back (power_cut_journal.h), and each sync. power_cut.h takes back what was not synced, as
// a power cut does. Files that are mapped into memory for writing are not seen.
// Thread: any. A record is on its way before the change happens: a kill in between leaves a record
// of something that did not happen, which taking back does not mind.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/power_cut_journal.h"

namespace {

using canary::support::Change;
using canary::support::ChangeHeader;

constexpr std::size_t kPath = 1024;

template <class Function>
Function* real(char const* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// From the record to the end of the change, so that records stand in the order of changes.
std::mutex& order() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}

char const* setting(char const* name) {
  char const* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int journal() {
  static int const file = static_cast<int>(
      ::syscall(SYS_openat, AT_FDCWD,
                (std::string{setting(canary::support::kPowerAside)} + "/journal").c_str(),
                O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600));
  return file;
}

bool is_watched(std::string const& path) {
  std::string const folder = setting(canary::support::kPowerFolder);
  bool const under = !folder.empty() && path.starts_with(folder);
  return under && !path.ends_with("-shm");  // of SQLite, made anew after each start
}

std::string absolute(int folder, char const* path) {
  if (path == nullptr) return {};
  if (path[0] == '/') return path;
  char base[kPath] = {};
  if (folder == AT_FDCWD) {
    if (::getcwd(base, sizeof base) == nullptr) return {};
  } else {
    char link[64];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    if (::readlink(link, base, sizeof base - 1) <= 0) return {};
  }
  return std::string{base} + "/" + path;
}

// Empty where it is no file or folder that is watched.
std::string path_of(int descriptor) {
  int const before = errno;
  struct stat seen{};
  std::string found;
  if (::fstat(descriptor, &seen) == 0 && (S_ISREG(seen.st_mode) || S_ISDIR(seen.st_mode))) {
    char link[64], path[kPath] = {};
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    if (::readlink(link, path, sizeof path - 1) > 0) found = path;
  }
  errno = before;
  return is_watched(found) ? found : std::string{};
}

void note(ChangeHeader header, std::string const& path, std::string const& other = {},
          std::vector<char> const& bytes = {}) {
  header.path_length = static_cast<std::uint32_t>(path.size());
  header.other_length = static_cast<std::uint32_t>(other.size());
  header.bytes_length = static_cast<std::uint32_t>(bytes.size());
  std::string record(reinterpret_cast<char const*>(&header), sizeof header);
  record += path + other;
  record.append(bytes.data(), bytes.size());
  ::syscall(SYS_write, journal(), record.data(), record.size());
}

// A second name for what the inode holds, so that it can be found whatever happens to its own.
std::uint64_t keep(std::string const& path) {
  struct stat seen{};
  if (::lstat(path.c_str(), &seen) != 0) return 0;
  if (S_ISREG(seen.st_mode)) {
    std::string const kept =
        std::string{setting(canary::support::kPowerAside)} + "/" + std::to_string(seen.st_ino);
    ::syscall(SYS_linkat, AT_FDCWD, path.c_str(), AT_FDCWD, kept.c_str(), 0);
  }
  return seen.st_ino;
}

void before_content(Change change, int descriptor, std::string const& path, off_t offset,
                    std::size_t length) {
  struct stat seen{};
  if (::fstat(descriptor, &seen) != 0) return;
  ChangeHeader header{.change = change};
  header.inode = keep(path);
  header.offset = static_cast<std::uint64_t>(offset);
  header.length = length;
  header.size = static_cast<std::uint64_t>(seen.st_size);
  std::vector<char> bytes;
  if (offset < seen.st_size) {
    bytes.resize(std::min(length, static_cast<std::size_t>(seen.st_size - offset)));
    int const again = static_cast<int>(::syscall(
        SYS_openat, AT_FDCWD,
        (std::string{setting(canary::support::kPowerAside)} + "/" + std::to_string(header.inode))
            .c_str(),
        O_RDONLY | O_CLOEXEC));
    auto const read = ::syscall(SYS_pread64, again, bytes.data(), bytes.size(), offset);
    bytes.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
    ::syscall(SYS_close, again);
  }
  note(header, path, {}, bytes);
}

off_t place_of(int descriptor) {
  if ((::fcntl(descriptor, F_GETFL) & O_APPEND) == 0) return ::lseek(descriptor, 0, SEEK_CUR);
  struct stat seen{};
  return ::fstat(descriptor, &seen) == 0 ? seen.st_size : 0;
}

// Opens by `open`, and notes what that creates or empties.
template <class Open>
int opened(int folder, char const* path, int flags, Open const& open) {
  if ((flags & O_TMPFILE) == O_TMPFILE || (flags & (O_CREAT | O_TRUNC)) == 0) return open();
  std::string const name = absolute(folder, path);
  if (!is_watched(name)) return open();
  std::scoped_lock const ordered{order()};
  struct stat seen{};
  if (::stat(name.c_str(), &seen) != 0) {
    note({.change = Change::created}, name);
  } else if ((flags & O_TRUNC) != 0 && seen.st_size > 0) {
    int const again =
        static_cast<int>(::syscall(SYS_openat, AT_FDCWD, name.c_str(), O_RDONLY | O_CLOEXEC));
    before_content(Change::cut, again, name, 0, static_cast<std::size_t>(seen.st_size));
    ::syscall(SYS_close, again);
  }
  return open();
}

template <class Write>
auto written(Change change, int descriptor, off_t offset, std::size_t length, Write const& write) {
  std::string const path = path_of(descriptor);
  if (path.empty()) return write();
  std::scoped_lock const ordered{order()};
  before_content(change, descriptor, path, offset < 0 ? place_of(descriptor) : offset, length);
  return write();
}

template <class Sync>
int synced(int descriptor, Sync const& sync) {
  std::string const path = path_of(descriptor);
  if (path.empty()) return sync();
  struct stat seen{}, noted{};
  if (::fstat(descriptor, &seen) != 0 || ::fstat(journal(), &noted) != 0) return sync();
  int const result = sync();
  if (result != 0 || setting(canary::support::kPowerNoSync)[0] != '\0') return result;
  ChangeHeader header{.change = S_ISDIR(seen.st_mode) ? Change::names_kept : Change::content_kept};
  header.inode = seen.st_ino;
  header.offset =
      static_cast<std::uint64_t>(noted.st_size);  // what came during the sync may be lost
  note(header, path);
  return result;
}

template <class Rename>
int renamed(std::string const& from, std::string const& to, Rename const& rename) {
  if (!is_watched(from) || !is_watched(to)) return rename();
  std::scoped_lock const ordered{order()};
  keep(from);
  ChangeHeader header{.change = Change::renamed};
  header.inode = keep(to);
  note(header, from, to);
  return rename();
}

template <class Remove>
int removed(std::string const& path, Remove const& remove) {
  if (!is_watched(path)) return remove();
  std::scoped_lock const ordered{order()};
  ChangeHeader header{.change = Change::removed};
  header.inode = keep(path);
  note(header, path);
  return remove();
}

template <class Make>
int made(std::string const& path, Make const& make) {
  struct stat seen{};
  if (!is_watched(path) || ::lstat(path.c_str(), &seen) == 0) return make();
  std::scoped_lock const ordered{order()};
  note({.change = Change::created}, path);
  return make();
}

using Open = int(char const*, int, ...);
using OpenAt = int(int, char const*, int, ...);

}  // namespace

#define MODE_OF(last)                  \
  std::va_list more;                   \
  va_start(more, last);                \
  auto const mode = va_arg(more, int); \
  va_end(more)

extern "C" {

int open(char const* path, int flags, ...) {
  MODE_OF(flags);
  static auto* const original = real<Open>("open");
  return opened(AT_FDCWD, path, flags, [&] { return original(path, flags, mode); });
}

int open64(char const* path, int flags, ...) {
  MODE_OF(flags);
  static auto* const original = real<Open>("open64");
  return opened(AT_FDCWD, path, flags, [&] { return original(path, flags, mode); });
}

int openat(int folder, char const* path, int flags, ...) {
  MODE_OF(flags);
  static auto* const original = real<OpenAt>("openat");
  return opened(folder, path, flags, [&] { return original(folder, path, flags, mode); });
}

int openat64(int folder, char const* path, int flags, ...) {
  MODE_OF(flags);
  static auto* const original = real<OpenAt>("openat64");
  return opened(folder, path, flags, [&] { return original(folder, path, flags, mode); });
}

FILE* fopen(char const* path, char const* mode) {
  static auto* const original = real<FILE*(char const*, char const*)>("fopen");
  int const flags = mode[0] == 'w' ? O_CREAT | O_TRUNC : mode[0] == 'a' ? O_CREAT : 0;
  FILE* file = nullptr;
  opened(AT_FDCWD, path, flags, [&] { return (file = original(path, mode)) == nullptr ? -1 : 0; });
  return file;
}

FILE* fopen64(char const* path, char const* mode) { return fopen(path, mode); }

ssize_t write(int descriptor, void const* bytes, std::size_t length) {
  static auto* const original = real<ssize_t(int, void const*, std::size_t)>("write");
  return written(Change::content, descriptor, -1, length,
                 [&] { return original(descriptor, bytes, length); });
}

ssize_t writev(int descriptor, iovec const* pieces, int count) {
  static auto* const original = real<ssize_t(int, iovec const*, int)>("writev");
  std::size_t length = 0;
  for (int i = 0; i < count; ++i) length += pieces[i].iov_len;
  return written(Change::content, descriptor, -1, length,
                 [&] { return original(descriptor, pieces, count); });
}

ssize_t pwrite(int descriptor, void const* bytes, std::size_t length, off_t offset) {
  static auto* const original = real<ssize_t(int, void const*, std::size_t, off_t)>("pwrite");
  return written(Change::content, descriptor, offset, length,
                 [&] { return original(descriptor, bytes, length, offset); });
}

ssize_t pwrite64(int descriptor, void const* bytes, std::size_t length, off64_t offset) {
  return pwrite(descriptor, bytes, length, offset);
}

int ftruncate(int descriptor, off_t size) {
  static auto* const original = real<int(int, off_t)>("ftruncate");
  constexpr std::size_t kAll = std::size_t{1} << 40U;
  return static_cast<int>(
      written(Change::cut, descriptor, size, kAll, [&] { return original(descriptor, size); }));
}

int ftruncate64(int descriptor, off64_t size) { return ftruncate(descriptor, size); }

int fsync(int descriptor) {
  static auto* const original = real<int(int)>("fsync");
  return synced(descriptor, [&] { return original(descriptor); });
}

int fdatasync(int descriptor) {
  static auto* const original = real<int(int)>("fdatasync");
  return synced(descriptor, [&] { return original(descriptor); });
}

int rename(char const* from, char const* to) {
  static auto* const original = real<int(char const*, char const*)>("rename");
  return renamed(absolute(AT_FDCWD, from), absolute(AT_FDCWD, to),
                 [&] { return original(from, to); });
}

int renameat(int from_folder, char const* from, int to_folder, char const* to) {
  static auto* const original = real<int(int, char const*, int, char const*)>("renameat");
  return renamed(absolute(from_folder, from), absolute(to_folder, to),
                 [&] { return original(from_folder, from, to_folder, to); });
}

int unlink(char const* path) {
  static auto* const original = real<int(char const*)>("unlink");
  return removed(absolute(AT_FDCWD, path), [&] { return original(path); });
}

int remove(char const* path) {
  static auto* const original = real<int(char const*)>("remove");
  return removed(absolute(AT_FDCWD, path), [&] { return original(path); });
}

int mkdir(char const* path, mode_t mode) {
  static auto* const original = real<int(char const*, mode_t)>("mkdir");
  return made(absolute(AT_FDCWD, path), [&] { return original(path, mode); });
}

}  // extern "C"

// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program: while the file that $FROZEN_DISK names is there, its first line is the
// beginning of paths whose disk does not answer: whoever opens, syncs, renames, removes, makes or
// looks at something there stays until the file is gone. The first to do so is told by the file
// $FROZEN_DISK.began. A frozen file system without root; frozen_disk.h is the other end.
// Thread: any.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t kPath = 512;

// Without the calls that are wrapped below.
int plain_open(char const* path, int flags) {
  return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600));
}

bool is_frozen(char const* path) {
  char const* const control = std::getenv("FROZEN_DISK");
  if (control == nullptr || path == nullptr) return false;
  int const file = plain_open(control, O_RDONLY);
  if (file < 0) return false;
  char frozen[kPath] = {};
  auto const size = ::syscall(SYS_read, file, frozen, sizeof frozen - 1);
  ::syscall(SYS_close, file);
  if (size <= 0) return false;
  frozen[std::strcspn(frozen, "\n")] = '\0';
  return frozen[0] != '\0' && std::strncmp(path, frozen, std::strlen(frozen)) == 0;
}

void stay_while_frozen(char const* path) {
  if (!is_frozen(path)) return;
  char began[kPath];
  std::snprintf(began, sizeof began, "%s.began", std::getenv("FROZEN_DISK"));
  int const file = plain_open(began, O_CREAT | O_WRONLY);
  if (file >= 0) ::syscall(SYS_close, file);
  timespec const pause{.tv_sec = 0, .tv_nsec = 5'000'000};
  while (is_frozen(path)) ::nanosleep(&pause, nullptr);
}

void stay_while_frozen(int descriptor) {
  char link[64], path[kPath] = {};
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  if (::readlink(link, path, sizeof path - 1) > 0) stay_while_frozen(path);
}

template <class Function>
Function* real(char const* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

using Open = int(char const*, int, ...);
using Fopen = FILE*(char const*, char const*);

}  // namespace

extern "C" {

int open(char const* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  auto const mode = va_arg(more, int);
  va_end(more);
  stay_while_frozen(path);
  static auto* const original = real<Open>("open");
  return original(path, flags, mode);
}

int open64(char const* path, int flags, ...) {
  std::va_list more;
  va_start(more, flags);
  auto const mode = va_arg(more, int);
  va_end(more);
  stay_while_frozen(path);
  static auto* const original = real<Open>("open64");
  return original(path, flags, mode);
}

FILE* fopen(char const* path, char const* mode) {
  stay_while_frozen(path);
  static auto* const original = real<Fopen>("fopen");
  return original(path, mode);
}

FILE* fopen64(char const* path, char const* mode) {
  stay_while_frozen(path);
  static auto* const original = real<Fopen>("fopen64");
  return original(path, mode);
}

int stat(char const* path, struct stat* status) noexcept {
  stay_while_frozen(path);
  static auto* const original = real<int(char const*, struct stat*)>("stat");
  return original(path, status);
}

int rename(char const* from, char const* to) noexcept {
  stay_while_frozen(to);
  static auto* const original = real<int(char const*, char const*)>("rename");
  return original(from, to);
}

int unlink(char const* path) noexcept {
  stay_while_frozen(path);
  static auto* const original = real<int(char const*)>("unlink");
  return original(path);
}

int mkdir(char const* path, mode_t mode) noexcept {
  stay_while_frozen(path);
  static auto* const original = real<int(char const*, mode_t)>("mkdir");
  return original(path, mode);
}

int fsync(int descriptor) {
  stay_while_frozen(descriptor);
  static auto* const original = real<int(int)>("fsync");
  return original(descriptor);
}

}  // extern "C"

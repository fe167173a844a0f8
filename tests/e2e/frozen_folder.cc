// SPDX-License-Identifier: Apache-2.0
// Preloaded into canaryd: while the file that CANARY_TEST_FREEZE names exists, its first line is a
// folder whose file system does not answer: whoever opens, syncs, renames, removes or looks at
// something there stays until the file is gone. Test only. Thread: any.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

bool is_frozen(char const* path) {
  char const* const control = std::getenv("CANARY_TEST_FREEZE");
  if (control == nullptr || path == nullptr) return false;
  auto const file =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC, 0));
  if (file < 0) return false;
  char folder[512] = {};
  auto const size = ::syscall(SYS_read, file, folder, sizeof folder - 1);
  ::syscall(SYS_close, file);
  if (size <= 0) return false;
  folder[std::strcspn(folder, "\n")] = '\0';
  return std::strncmp(path, folder, std::strlen(folder)) == 0;
}

void stay_while_frozen(char const* path) {
  timespec const pause{.tv_sec = 0, .tv_nsec = 20'000'000};
  while (is_frozen(path)) ::nanosleep(&pause, nullptr);
}

void stay_while_frozen(int descriptor) {
  char link[64];
  char path[512] = {};
  ::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  if (::readlink(link, path, sizeof path - 1) > 0) stay_while_frozen(path);
}

template <class Function>
Function* real(char const* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

#define VISIBLE extern "C" __attribute__((visibility("default")))

VISIBLE int open(char const* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  auto const mode = va_arg(more, int);
  va_end(more);
  stay_while_frozen(path);
  static auto* const original = real<int(char const*, int, ...)>("open");
  return original(path, flags, mode);
}

VISIBLE int open64(char const* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  auto const mode = va_arg(more, int);
  va_end(more);
  stay_while_frozen(path);
  static auto* const original = real<int(char const*, int, ...)>("open64");
  return original(path, flags, mode);
}

VISIBLE int stat(char const* path, struct stat* status) noexcept {
  stay_while_frozen(path);
  static auto* const original = real<int(char const*, struct stat*)>("stat");
  return original(path, status);
}

VISIBLE int rename(char const* from, char const* to) noexcept {
  stay_while_frozen(to);
  static auto* const original = real<int(char const*, char const*)>("rename");
  return original(from, to);
}

VISIBLE int unlink(char const* path) noexcept {
  stay_while_frozen(path);
  static auto* const original = real<int(char const*)>("unlink");
  return original(path);
}

VISIBLE int mkdir(char const* path, mode_t mode) noexcept {
  stay_while_frozen(path);
  static auto* const original = real<int(char const*, mode_t)>("mkdir");
  return original(path, mode);
}

VISIBLE int fsync(int descriptor) {
  stay_while_frozen(descriptor);
  static auto* const original = real<int(int)>("fsync");
  return original(descriptor);
}

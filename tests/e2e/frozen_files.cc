// SPDX-License-Identifier: Apache-2.0
// Preloaded into canaryd: open(2) and fopen(3) of what $FROZEN_PATH names, or of what is below it,
// do not return for as long as the file $FROZEN_WHILE is there; $FROZEN_BEGAN says that one was
// called. A frozen disk without root.
// Thread: any.
#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

using Open = int (*)(char const*, int, ...);
using Fopen = FILE* (*)(char const*, char const*);

Open real(char const* name) { return reinterpret_cast<Open>(::dlsym(RTLD_NEXT, name)); }

bool is_frozen(char const* path) {
  char const* const frozen = std::getenv("FROZEN_PATH");
  char const* const flag = std::getenv("FROZEN_WHILE");
  return frozen != nullptr && flag != nullptr &&
         std::strncmp(path, frozen, std::strlen(frozen)) == 0 && ::access(flag, F_OK) == 0;
}

void wait_for_the_thaw(char const* path) {
  if (!is_frozen(path)) return;
  static Open const plain = real("open");
  int const began = plain(std::getenv("FROZEN_BEGAN"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (began >= 0) ::close(began);
  timespec const moment{.tv_sec = 0, .tv_nsec = 5'000'000};
  while (is_frozen(path)) ::nanosleep(&moment, nullptr);
}

int open_later(Open open, char const* path, int flags, mode_t mode) {
  wait_for_the_thaw(path);
  return open(path, flags, mode);
}

}  // namespace

extern "C" {

int open(char const* path, int flags, ...) {
  static Open const plain = real("open");
  va_list more;
  va_start(more, flags);
  mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_later(plain, path, flags, mode);
}

int open64(char const* path, int flags, ...) {
  static Open const plain = real("open64");
  va_list more;
  va_start(more, flags);
  mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_later(plain, path, flags, mode);
}

FILE* fopen(char const* path, char const* mode) {
  static auto const plain = reinterpret_cast<Fopen>(::dlsym(RTLD_NEXT, "fopen"));
  wait_for_the_thaw(path);
  return plain(path, mode);
}

FILE* fopen64(char const* path, char const* mode) {
  static auto const plain = reinterpret_cast<Fopen>(::dlsym(RTLD_NEXT, "fopen64"));
  wait_for_the_thaw(path);
  return plain(path, mode);
}

}  // extern "C"

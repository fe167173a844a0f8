// SPDX-License-Identifier: Apache-2.0
// Preloaded into canaryd: its watchdog's first readlink(2), which is in a dump, waits until a file
// is there, and says so by another one.
// Thread: any.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

void wait_once() {
  static bool waited = false;
  if (waited) return;
  waited = true;
  int const began = ::open(std::getenv("SLOW_DUMP_BEGAN"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (began >= 0) ::close(began);
  timespec const moment{.tv_sec = 0, .tv_nsec = 5'000'000};
  for (int i = 0; i < 4'000 && ::access(std::getenv("SLOW_DUMP_GO_ON"), F_OK) != 0; ++i) {
    ::nanosleep(&moment, nullptr);
  }
}

bool on_the_watchdog() {
  char name[16] = "";
  ::prctl(PR_GET_NAME, name);
  return std::strcmp(name, "watchdog") == 0;
}

}  // namespace

extern "C" {

ssize_t readlink(char const* path, char* into, size_t size) {
  using Readlink = ssize_t (*)(char const*, char*, size_t);
  static auto const real = reinterpret_cast<Readlink>(::dlsym(RTLD_NEXT, "readlink"));
  if (on_the_watchdog()) wait_once();
  return real(path, into, size);
}

ssize_t readlinkat(int folder, char const* path, char* into, size_t size) {
  using Readlinkat = ssize_t (*)(int, char const*, char*, size_t);
  static auto const real = reinterpret_cast<Readlinkat>(::dlsym(RTLD_NEXT, "readlinkat"));
  if (on_the_watchdog()) wait_once();
  return real(folder, path, into, size);
}

}  // extern "C"

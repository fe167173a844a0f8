// SPDX-License-Identifier: Apache-2.0
// Preloaded: fsync(2) and fdatasync(2) take SLOW_FSYNC_MS longer, as on a disk that is far or busy.
// Calls of several threads take it at the same time.
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void take_time(void) {
  char const* const text = getenv("SLOW_FSYNC_MS");
  long const ms = text == 0 ? 10 : atol(text);
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0) {
  }
}

int fsync(int file) {
  take_time();
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  take_time();
  return (int)syscall(SYS_fdatasync, file);
}

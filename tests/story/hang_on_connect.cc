// SPDX-License-Identifier: Apache-2.0
// Preloaded into the canaryd that is shipped: once a file appears, the next connect() of the loop's
// thread never returns, as a driver or a security module might do it. Test only.
// Thread: any; the loop's alone is held.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

bool is_loop() {
  char name[16] = {};
  return pthread_getname_np(pthread_self(), name, sizeof name) == 0 &&
         std::strcmp(name, "loop") == 0;
}

}  // namespace

// The name by which the dump is to know the culprit.
extern "C" __attribute__((visibility("default"), noinline)) void hang_for_ever() {
  while (true) ::pause();
}

extern "C" __attribute__((visibility("default"))) int connect(int descriptor,
                                                              sockaddr const* address,
                                                              socklen_t size) {
  using Connect = int (*)(int, sockaddr const*, socklen_t);
  static auto const real = reinterpret_cast<Connect>(::dlsym(RTLD_NEXT, "connect"));
  char const* const trigger = std::getenv("CANARY_TEST_HANG_FILE");
  // Taken away, so that the next process does not hang as well.
  if (trigger != nullptr && is_loop() && ::unlink(trigger) == 0) hang_for_ever();
  return real(descriptor, address, size);
}

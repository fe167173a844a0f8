// SPDX-License-Identifier: Apache-2.0
// Preloaded into the canaryd that is shipped: once a file appears, the next connect() of the loop's
// thread never returns, as a driver or a security module might do it. Where the file says "deaf",
// the thread takes no signals either. Test only. Thread: any; the loop's alone is held.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
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

bool says_deaf(char const* file) {
  int const descriptor = ::open(file, O_RDONLY | O_CLOEXEC);
  char word[5] = {};
  bool const deaf =
      descriptor >= 0 && ::read(descriptor, word, 4) == 4 && std::strcmp(word, "deaf") == 0;
  if (descriptor >= 0) ::close(descriptor);
  return deaf;
}

void block_all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
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
  if (trigger != nullptr && is_loop()) {
    bool const deaf = says_deaf(trigger);
    // Taken away, so that the next process does not hang as well.
    if (::unlink(trigger) == 0) {
      if (deaf) block_all_signals();
      hang_for_ever();
    }
  }
  return real(descriptor, address, size);
}

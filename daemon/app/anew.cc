// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/anew.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace canary::daemon {
namespace {

// Programs of probes of the kind exec lead a session each; the dump helper, which has a dump to
// end, is in ours. Where the kernel has no list of children (CONFIG_PROC_CHILDREN), they are left
// alone.
void end_programs_of_probes() {
  std::ifstream children{"/proc/thread-self/children"};
  for (pid_t child = 0; children >> child;) {
    if (::getsid(child) == child) ::kill(-child, SIGKILL);
  }
}

}  // namespace

void put_right_what_was_before() {
  using namespace std::chrono_literals;
  if (std::getenv("CANARYD_ANEW") == nullptr) return;
  ::unsetenv("CANARYD_ANEW");
  // It was started as /proc/self/exe, and is called "exe" by the kernel.
  ::pthread_setname_np(::pthread_self(),
                       std::string{program_invocation_short_name}.substr(0, 15).c_str());
  end_programs_of_probes();
  auto const end = std::chrono::steady_clock::now() + 2s;
  while (std::chrono::steady_clock::now() < end) {
    auto const child = ::waitpid(-1, nullptr, WNOHANG);
    if (child < 0 && errno == ECHILD) return;
    if (child == 0) std::this_thread::sleep_for(5ms);
  }
}

}  // namespace canary::daemon

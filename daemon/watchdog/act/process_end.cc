// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/process_end.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace canary::watchdog {
namespace {

constexpr std::int64_t kGiveUpAfter = 5'000'000'000;  // from the signal to _exit
constexpr int kExitFailure = 1;

}  // namespace

void ProcessEnd::end(Incident const& dying, OnDead on_dead, std::int64_t now_ns) {
  if (begun()) {
    // The signal did not end us. A thread in uninterruptible sleep keeps even this from ending.
    if (now_ns - killed_ns_ >= kGiveUpAfter) give_up();
    return;
  }
  killed_ns_ = now_ns;
  parts_.listeners.close();
  if (on_dead == OnDead::exec) exec_anew();
  // The first process of a PID namespace takes no signal from within, and has the same status.
  if (parts_.process == 1) ::_exit(128 + SIGABRT);
  // To the stuck thread, so that a core's current thread is the culprit. One that ended takes no
  // signal, not even main, which stays as a zombie: then to whoever does.
  bool const there = dying.thread != 0 && dying.verdict != Verdict::ended;
  if (!there || ::syscall(SYS_tgkill, parts_.process, dying.thread, SIGABRT) != 0) {
    ::syscall(SYS_kill, parts_.process, SIGABRT);
  }
}

void ProcessEnd::give_up() {
  parts_.listeners.close();
  ::_exit(kExitFailure);
}

// Returns only when it failed.
void ProcessEnd::exec_anew() {
  if (parts_.arguments == nullptr) return;
  sigset_t ours;
  ::pthread_sigmask(SIG_SETMASK, &parts_.signals, &ours);
  // It is this thread's that the new program would have.
  ::syscall(SYS_setpriority, PRIO_PROCESS, 0, parts_.niceness);
  parts_.handed_on.put_in_place();
  ::execve("/proc/self/exe", parts_.arguments, parts_.environment);
  ::pthread_sigmask(SIG_SETMASK, &ours, nullptr);
}

}  // namespace canary::watchdog

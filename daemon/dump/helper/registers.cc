// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/registers.h"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "daemon/dump/capture.h"

namespace canary::dump {
namespace {

constexpr int kStopWithinMs = 200;
constexpr std::uint64_t kRedZone = 128;

bool wait_for_stop(pid_t thread) {
  for (int i = 0; i < kStopWithinMs * 10; ++i) {
    int status = 0;
    pid_t const stopped = ::waitpid(thread, &status, __WALL | WNOHANG);
    if (stopped == thread) return WIFSTOPPED(status);
    if (stopped < 0) return false;
    timespec const pause{0, 100'000};
    ::nanosleep(&pause, nullptr);
  }
  return false;
}

void copy_stack(std::int32_t process, NativeStack& stack) {
  std::uint64_t const start = stack.raw.registers[kRegisterStack] - kRedZone;
  std::vector<std::byte> bytes(kStackBytes);
  std::size_t done = 0;
  while (done < bytes.size()) {
    std::size_t const page = 4096 - (start + done) % 4096;
    std::size_t const part = std::min(page, bytes.size() - done);
    iovec const local{bytes.data() + done, part};
    iovec const remote{reinterpret_cast<void*>(start + done),
                       part};  // NOLINT(performance-no-int-to-ptr)
    if (::process_vm_readv(process, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(part)) break;
    done += part;
  }
  bytes.resize(done);
  stack.raw.stack_start = start;
  stack.raw.stack_bytes = done;
  stack.bytes = std::move(bytes);
}

void copy_registers(user_regs_struct const& machine, NativeStack& stack) {
  stack.raw.registers = {machine.rax, machine.rdx, machine.rcx, machine.rbx, machine.rsi,
                         machine.rdi, machine.rbp, machine.rsp, machine.r8,  machine.r9,
                         machine.r10, machine.r11, machine.r12, machine.r13, machine.r14,
                         machine.r15, machine.rip};
  stack.raw.known = (1U << kRegisters) - 1;
}

}  // namespace

bool take_registers(std::int32_t process, NativeStack& stack) {
  pid_t const thread = stack.raw.thread;
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
    stack.note = "the helper may not look at it: " + std::generic_category().message(errno);
    return false;
  }
  user_regs_struct machine{};
  bool const stopped = ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 &&
                       wait_for_stop(thread) &&
                       ::ptrace(PTRACE_GETREGS, thread, nullptr, &machine) == 0;
  if (stopped) {
    copy_registers(machine, stack);
    copy_stack(process, stack);
  }
  ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  if (!stopped) stack.note = "it cannot be stopped: it waits uninterruptibly";
  return stopped;
}

bool still_runs(AboutSection const& about) {
  std::string const link = "/proc/" + std::to_string(about.process) + "/exe";
  char target[256] = {};
  if (::readlink(link.c_str(), target, sizeof target - 1) <= 0) return false;
  return std::strncmp(target, about.program.data(), about.program.size() - 1) == 0;
}

}  // namespace canary::dump

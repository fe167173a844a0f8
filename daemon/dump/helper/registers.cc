// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/registers.h"

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <system_error>

#include "daemon/dump/capture/capture.h"
#include "runtime/tables.h"

namespace canary::dump {

#ifdef __x86_64__
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

// What the child found, in memory that it shares with us.
struct Taken {
  int error = 0;  // of PTRACE_SEIZE
  bool stopped = false;
  std::int64_t at_ns = 0;  // monotonic
  user_regs_struct machine{};
  std::uint64_t stack_start = 0, stack_bytes = 0;
  std::array<std::byte, kStackBytes> stack{};
};

void copy_stack(std::int32_t process, Taken& taken) {
  std::uint64_t const start = taken.machine.rsp - kRedZone;
  std::size_t done = 0;
  while (done < taken.stack.size()) {
    std::size_t const page = 4096 - (start + done) % 4096;
    std::size_t const part = std::min(page, taken.stack.size() - done);
    iovec const local{taken.stack.data() + done, part};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in the other process
    iovec const remote{reinterpret_cast<void*>(start + done), part};
    if (::process_vm_readv(process, &local, 1, &remote, 1, 0) != static_cast<ssize_t>(part)) break;
    done += part;
  }
  taken.stack_start = start;
  taken.stack_bytes = done;
}

// The child's work. A thread that waits uninterruptibly stops only once that wait is over, and
// nothing but the end of its tracer keeps it from stopping then, and for ever: hence a child.
void look(std::int32_t process, pid_t thread, Taken& taken) {
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
    taken.error = errno;
    return;
  }
  taken.stopped = ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 &&
                  wait_for_stop(thread) &&
                  ::ptrace(PTRACE_GETREGS, thread, nullptr, &taken.machine) == 0;
  if (taken.stopped) copy_stack(process, taken);
  taken.at_ns = runtime::now_ns();
  ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
}

void copy_registers(user_regs_struct const& machine, NativeStack& stack) {
  stack.raw.registers = {machine.rax, machine.rdx, machine.rcx, machine.rbx, machine.rsi,
                         machine.rdi, machine.rbp, machine.rsp, machine.r8,  machine.r9,
                         machine.r10, machine.r11, machine.r12, machine.r13, machine.r14,
                         machine.r15, machine.rip};
  stack.raw.known = (1U << kRegisters) - 1;
}

class SharedTaken {
 public:
  SharedTaken()
      : memory_(::mmap(nullptr, sizeof(Taken), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0)) {
    if (memory_ != MAP_FAILED) taken_ = new (memory_) Taken;
  }
  ~SharedTaken() {
    if (taken_ != nullptr) ::munmap(memory_, sizeof(Taken));
  }
  SharedTaken(SharedTaken const&) = delete;
  SharedTaken& operator=(SharedTaken const&) = delete;
  Taken* get() const { return taken_; }

 private:
  void* memory_;
  Taken* taken_ = nullptr;
};

}  // namespace

bool take_registers(std::int32_t process, NativeStack& stack) {
  SharedTaken const shared;
  Taken* const taken = shared.get();
  pid_t const child = taken == nullptr ? -1 : ::fork();
  if (child == 0) {
    look(process, stack.raw.thread, *taken);
    ::_exit(0);
  }
  if (child < 0) {
    stack.note = "the helper cannot look at it: " + std::generic_category().message(errno);
    return false;
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (taken->error != 0) {
    stack.note = "the helper may not look at it: " + std::generic_category().message(taken->error);
    return false;
  }
  if (!taken->stopped) {
    stack.note = "it cannot be stopped: it waits uninterruptibly";
    return false;
  }
  copy_registers(taken->machine, stack);
  stack.raw.taken_ns = taken->at_ns;
  stack.raw.stack_start = taken->stack_start;
  stack.raw.stack_bytes = taken->stack_bytes;
  stack.bytes.assign(taken->stack.begin(),
                     taken->stack.begin() + static_cast<std::ptrdiff_t>(taken->stack_bytes));
  return true;
}
#else
bool take_registers(std::int32_t, NativeStack&) { return false; }  // the stack's source says why
#endif

namespace {
// Without what the kernel adds once the file was replaced by an upgrade.
std::string_view name_of_program(std::string_view link) {
  constexpr std::string_view kDeleted = " (deleted)";
  if (link.ends_with(kDeleted)) link.remove_suffix(kDeleted.size());
  return link;
}
}  // namespace

bool still_runs(AboutSection const& about) {
  std::string const link = "/proc/" + std::to_string(about.process) + "/exe";
  char target[256] = {};
  if (::readlink(link.c_str(), target, sizeof target - 1) <= 0) return false;
  return name_of_program(target) == name_of_program(about.program.data());
}

}  // namespace canary::dump

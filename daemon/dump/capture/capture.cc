// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/capture/capture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "daemon/text/fixed_text.h"
#include "runtime/tables.h"

namespace canary::dump {
namespace {

constexpr std::size_t kSlots = 8;
constexpr std::size_t kHandlerStack = 64 * 1024;
constexpr std::uint64_t kRedZone = 128;  // what a function may use below its stack pointer

// Whose turn it is with a slot. The word also counts the requests, so that an answer that comes
// after its request was given up finds that it is late.
enum Phase : std::uint32_t {
  idle,
  held,       // the requester's: being filled, or read
  requested,  // the signal is on its way
  copying,    // the handler's
  answered,
  abandoned,  // nobody waits; the signal may still come
  lost,       // nobody waits; the handler is in the midst of copying
};
constexpr std::uint32_t kPhaseBits = 3, kPhaseMask = (1U << kPhaseBits) - 1;

struct Slot {
  std::atomic<std::uint32_t> word{0};
  std::atomic<std::int32_t> thread{0};
  std::uint64_t stack_low = 0, stack_high = 0;  // 0: not known
  Capture capture;
};

constinit Slot slots[kSlots];
std::atomic<std::uint64_t> answers{0};
std::atomic<bool> installed{false};

std::uint32_t phase_of(std::uint32_t word) { return word & kPhaseMask; }
std::uint32_t with_phase(std::uint32_t word, Phase phase) { return (word & ~kPhaseMask) | phase; }

bool move(Slot& slot, std::uint32_t from, Phase to) {
  return slot.word.compare_exchange_strong(from, with_phase(from, to), std::memory_order_acq_rel);
}

#ifdef __x86_64__
// Not memcpy: sanitizers watch that one, and a stack is full of what they forbid to read.
void copy_raw(void* to, std::uint64_t from, std::uint64_t size) {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

void copy_registers(mcontext_t const& machine, Capture& into) {
  constexpr int kOrder[kRegisters] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                      REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (std::size_t i = 0; i < kRegisters; ++i) {
    into.registers[i] = static_cast<std::uint64_t>(machine.gregs[kOrder[i]]);
  }
  into.known = (1U << kRegisters) - 1;
}
#else
void copy_raw(void*, std::uint64_t, std::uint64_t) {}
void copy_registers(mcontext_t const&, Capture&) {}
#endif

// What of [from, from + size) can be read; never faults.
std::uint64_t copy_checked(void* to, std::uint64_t from, std::uint64_t size) {
  iovec const local{to, size};
  std::uint64_t done = 0;
  // A range that ends beyond what is mapped is refused as a whole on some kernels: page by page.
  iovec remote[2];
  while (done < size) {
    std::uint64_t const page_end = (from + done + 4096) & ~std::uint64_t{4095};
    std::uint64_t const part =
        page_end - (from + done) < size - done ? page_end - (from + done) : size - done;
    iovec const into{static_cast<char*>(local.iov_base) + done, part};
    remote[0] = {reinterpret_cast<void*>(from + done), part};  // NOLINT(performance-no-int-to-ptr)
    if (::syscall(SYS_process_vm_readv, ::getpid(), &into, 1UL, remote, 1UL, 0UL) !=
        static_cast<long>(part)) {
      break;
    }
    done += part;
  }
  return done;
}

void copy_stack(Slot& slot) {
  Capture& into = slot.capture;
  std::uint64_t const top = into.registers[kRegisterStack];
  if (top >= slot.stack_low && top < slot.stack_high) {
    std::uint64_t const start = top - slot.stack_low > kRedZone ? top - kRedZone : top;
    std::uint64_t const held = slot.stack_high - start;
    into.stack_start = start;
    into.stack_bytes = held < kStackBytes ? held : kStackBytes;
    copy_raw(into.stack.data(), start, into.stack_bytes);
    return;
  }
  into.stack_start = top - kRedZone;
  into.stack_bytes = copy_checked(into.stack.data(), into.stack_start, kStackBytes);
}

// Runs on the thread that is asked for.
void on_signal(int, siginfo_t* info, void* context) {
  if (info->si_code != SI_QUEUE || info->si_pid != ::getpid()) return;
  int const error = errno;
  auto const asked = static_cast<std::uint32_t>(info->si_value.sival_int);
  Slot& slot = slots[asked % kSlots];
  std::uint32_t const count = asked / kSlots << kPhaseBits;
  if (move(slot, count | requested, copying)) {
    slot.capture.taken_ns = runtime::now_ns();
    copy_registers(static_cast<ucontext_t const*>(context)->uc_mcontext, slot.capture);
    copy_stack(slot);
    slot.capture.source = Capture::handler;
    answers.fetch_add(1, std::memory_order_relaxed);
    if (!move(slot, count | copying, answered)) move(slot, count | lost, idle);
  } else {
    move(slot, count | abandoned, idle);
  }
  errno = error;
}

bool send_signal(Slot const& slot, std::size_t index, std::int32_t thread) {
  siginfo_t info{};
  info.si_signo = capture_signal();
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  std::uint32_t const count = slot.word.load(std::memory_order_relaxed) >> kPhaseBits;
  info.si_value.sival_int = static_cast<int>(count * kSlots + index);
  return ::syscall(SYS_rt_tgsigqueueinfo, ::getpid(), thread, info.si_signo, &info) == 0;
}

bool exists(std::int32_t thread) {
  return ::syscall(SYS_tgkill, ::getpid(), thread, 0) == 0 || errno != ESRCH;
}

// A slot for a new request, its count moved on; kSlots where none is free.
std::size_t take_slot() {
  for (std::size_t i = 0; i < kSlots; ++i) {
    std::uint32_t word = slots[i].word.load(std::memory_order_acquire);
    // Who will never answer: the count moves on all the same, so that nothing late is believed.
    if (phase_of(word) == abandoned && !exists(slots[i].thread.load(std::memory_order_relaxed))) {
      move(slots[i], word, idle);
      word = slots[i].word.load(std::memory_order_acquire);
    }
    if (phase_of(word) != idle) continue;
    std::uint32_t const next = with_phase(word + (1U << kPhaseBits), held);
    // 2^26 requests fit beside the slot's index in a signal's value.
    std::uint32_t const kept = next & ((1U << (26 + kPhaseBits)) - 1);
    if (slots[i].word.compare_exchange_strong(word, kept, std::memory_order_acq_rel)) return i;
  }
  return kSlots;
}

bool was_abandoned(std::int32_t thread) {
  for (auto const& slot : slots) {
    std::uint32_t const phase = phase_of(slot.word.load(std::memory_order_acquire));
    if ((phase == abandoned || phase == lost) &&
        slot.thread.load(std::memory_order_relaxed) == thread) {
      return true;
    }
  }
  return false;
}

// Reads /proc/self/task/THREAD/NAME; returns how much.
std::size_t read_of_thread(std::int32_t thread, char const* name, std::span<char> into) {
  ShortText<64> path;
  (path << "/proc/self/task/").number(thread) << "/" << name;
  int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t const size = ::read(file, into.data(), into.size());
  ::close(file);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

std::uint64_t parse_hex(char const* at, char const* end) {
  std::uint64_t value = 0;
  for (; at != end; ++at) {
    if (*at >= '0' && *at <= '9') {
      value = value * 16 + static_cast<std::uint64_t>(*at - '0');
    } else if (*at >= 'a' && *at <= 'f') {
      value = value * 16 + static_cast<std::uint64_t>(*at - 'a' + 10);
    } else {
      break;
    }
  }
  return value;
}

// The thread's own word on whether the signal could reach it; true where that is not known.
bool may_answer(std::int32_t thread) {
  char text[2048];
  std::size_t const size = read_of_thread(thread, "status", text);
  constexpr std::string_view kName = "\nSigBlk:\t";
  for (std::size_t i = 0; i + kName.size() + 16 < size; ++i) {
    if (std::memcmp(text + i, kName.data(), kName.size()) != 0) continue;
    std::uint64_t const blocked = parse_hex(text + i + kName.size(), text + size);
    return (blocked >> (capture_signal() - 1) & 1) == 0;
  }
  return true;
}

// "232 0x5 … 0xSTACK 0xCODE\n", "-1 0xSTACK 0xCODE\n" or "running\n".
bool from_system_call(Slot& slot, std::int32_t thread) {
  char text[256];
  std::size_t const size = read_of_thread(thread, "syscall", text);
  if (size == 0 || text[0] == 'r') return false;
  std::uint64_t last[2] = {0, 0};
  for (std::size_t i = 0; i + 2 < size; ++i) {
    if (text[i] != ' ' || text[i + 1] != '0' || text[i + 2] != 'x') continue;
    last[0] = last[1];
    last[1] = parse_hex(text + i + 3, text + size);
  }
  if (last[0] == 0 || last[1] == 0) return false;
  Capture& into = slot.capture;
  into.registers[kRegisterStack] = last[0];
  into.registers[kRegisterCode] = last[1];
  into.known = (1U << kRegisterStack) | (1U << kRegisterCode);
  into.stack_start = last[0];
  into.stack_bytes = copy_checked(into.stack.data(), last[0], kStackBytes);
  into.source = Capture::system_call;
  into.taken_ns = runtime::now_ns();
  return true;
}

void pause_ns(std::int64_t nanoseconds) {
  timespec const span{0, nanoseconds};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &span, nullptr);
}

// Waits until the slot has left `phase`.
bool wait_while(Slot const& slot, Phase phase, std::int64_t until_ns) {
  std::int64_t step = 20'000;
  while (phase_of(slot.word.load(std::memory_order_acquire)) == phase) {
    if (runtime::now_ns() >= until_ns) return false;
    pause_ns(step);
    if (step < 2'000'000) step += step / 2;
  }
  return true;
}

void describe(Slot& slot, std::int32_t thread) {
  slot.thread.store(thread, std::memory_order_relaxed);
  slot.stack_low = slot.stack_high = 0;
  Capture& capture = slot.capture;
  capture.thread = thread;
  capture.source = Capture::none;
  capture.known = 0;
  capture.taken_ns = runtime::now_ns();
  capture.waited_ns = 0;
  capture.registers = {};
  capture.stack_start = capture.stack_bytes = 0;
  runtime::Tables* const all = runtime::tables();
  if (all == nullptr) return;
  for (auto const& row : all->threads()) {
    if (row.thread.load(std::memory_order_acquire) != thread) continue;
    slot.stack_low = row.stack_low.load(std::memory_order_relaxed);
    slot.stack_high = row.stack_high.load(std::memory_order_relaxed);
    return;
  }
}

// True once the handler has answered. False leaves the slot to whoever may still come.
bool ask(Slot& slot, std::size_t index, std::int32_t thread, std::int64_t within_ns) {
  std::int64_t const asked_ns = runtime::now_ns();
  std::uint32_t const word = slot.word.load(std::memory_order_relaxed);
  slot.word.store(with_phase(word, requested), std::memory_order_release);
  if (!send_signal(slot, index, thread)) {
    slot.word.store(with_phase(word, idle), std::memory_order_release);
    return false;
  }
  if (!wait_while(slot, requested, asked_ns + within_ns) &&
      move(slot, with_phase(word, requested), abandoned)) {
    return false;
  }
  if (!wait_while(slot, copying, asked_ns + within_ns + kAnswerWithinNs) &&
      move(slot, with_phase(word, copying), lost)) {
    return false;
  }
  slot.capture.waited_ns = slot.capture.taken_ns - asked_ns;
  return true;
}

}  // namespace

int capture_signal() { return SIGRTMIN + 3; }

void install_capture() {
  if constexpr (!kCopiesStacks) return;
  if (installed.load(std::memory_order_acquire)) return;
  for (auto& slot : slots) std::memset(slot.capture.stack.data(), 0, kStackBytes);  // faults it in
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  ::sigfillset(&action.sa_mask);
  ::sigaction(capture_signal(), &action, nullptr);
  installed.store(true, std::memory_order_release);
}

CaptureStack::CaptureStack() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, capture_signal());
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  stack_t now{};
  // One that is there already (a sanitizer's) is left alone: its owner unmaps it.
  if (::sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0) return;
  void* const memory = ::mmap(nullptr, kHandlerStack, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) return;
  memory_ = memory;
  stack_t const mine{.ss_sp = memory, .ss_flags = 0, .ss_size = kHandlerStack};
  ::sigaltstack(&mine, nullptr);
}

CaptureStack::~CaptureStack() {
  if (memory_ == nullptr) return;
  stack_t const none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, kHandlerStack);
}

Capture const* capture_thread(std::int32_t thread, std::int64_t within_ns) {
  std::size_t index = take_slot();
  if (index == kSlots) return nullptr;
  if constexpr (!kCopiesStacks) {
    describe(slots[index], thread);
    slots[index].capture.source = Capture::unsupported;
    return &slots[index].capture;
  }
  bool const expected =
      installed.load(std::memory_order_acquire) && !was_abandoned(thread) && may_answer(thread);
  if (expected) {
    describe(slots[index], thread);
    if (ask(slots[index], index, thread, within_ns)) return &slots[index].capture;
    index = take_slot();
    if (index == kSlots) return nullptr;
  }
  describe(slots[index], thread);
  for (int attempt = 0; attempt < 3; ++attempt) {
    if (from_system_call(slots[index], thread)) break;
    pause_ns(500'000);
  }
  return &slots[index].capture;
}

void give_back(Capture const* capture) {
  for (auto& slot : slots) {
    if (&slot.capture != capture) continue;
    std::uint32_t const word = slot.word.load(std::memory_order_relaxed);
    slot.word.store(with_phase(word, idle), std::memory_order_release);
  }
}

std::uint64_t captures_answered() { return answers.load(std::memory_order_relaxed); }

}  // namespace canary::dump

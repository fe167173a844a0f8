// SPDX-License-Identifier: Apache-2.0
// The registers and the stack of another thread of this process, copied without its cooperation:
// by a signal handler on that thread (microseconds), else from what the kernel tells of it.
// Nothing here allocates, locks or unwinds; unwinding is the dump helper's work, elsewhere.
// On x86-64 alone: elsewhere every Capture is `unsupported`, and dumps say so.
// Thread: install_capture and CaptureStack at start, capture_thread any (the watchdog's above all).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace canary::dump {

#ifdef __x86_64__
inline constexpr bool kCopiesStacks = true;
#else
inline constexpr bool kCopiesStacks = false;
#endif
inline constexpr std::size_t kStackBytes = 64 * 1024;
inline constexpr std::size_t kRegisters = 17;  // numbered as DWARF does for x86-64; 16 is RIP
inline constexpr std::size_t kRegisterStack = 7, kRegisterFrame = 6, kRegisterCode = 16;
// How long a thread on a busy machine may take to answer.
inline constexpr std::int64_t kAnswerWithinNs = 200'000'000;

struct Capture {
  enum Source : std::uint8_t {
    none,         // nothing could be had: it runs with the signal blocked
    handler,      // all registers, copied by the thread itself
    system_call,  // stack and code pointer alone, from /proc, of a thread that sleeps
    unsupported,  // !kCopiesStacks
  };
  std::int32_t thread = 0;  // kernel thread id
  Source source = none;
  std::uint32_t known = 0;     // a bit for each register that is known
  std::int64_t taken_ns = 0;   // monotonic
  std::int64_t waited_ns = 0;  // from the request to the answer
  std::array<std::uint64_t, kRegisters> registers{};
  std::uint64_t stack_start = 0;  // address of stack[0]
  std::uint64_t stack_bytes = 0;  // copied; deeper stacks are cut
  std::array<std::byte, kStackBytes> stack{};
};

// Chooses the signal (SIGRTMIN + 3) and installs its handler. Idempotent; before threads start.
void install_capture();
int capture_signal();

// Gives the calling thread a stack for the handler and unblocks the signal, for the thread's life.
// Threads without one still answer where they do not block the signal, on the stack they have.
class CaptureStack {
 public:
  CaptureStack();
  ~CaptureStack();
  CaptureStack(CaptureStack const&) = delete;
  CaptureStack& operator=(CaptureStack const&) = delete;

 private:
  void* memory_ = nullptr;
};
// The same for as long as the thread lives, without an object: for hooks at a thread's start.
void prepare_this_thread();

// Copies the thread's registers and stack into one of a few preallocated records and returns it;
// `source` says how much there is. nullptr only while all records are in use (each must be given
// back). Waits in small steps for at most `within_ns`; async-signal-safe.
Capture const* capture_thread(std::int32_t thread, std::int64_t within_ns = kAnswerWithinNs);
void give_back(Capture const* capture);

// How many signals were answered, for tests and metrics.
std::uint64_t captures_answered();

}  // namespace canary::dump

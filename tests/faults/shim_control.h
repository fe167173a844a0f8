// SPDX-License-Identifier: Apache-2.0
// What the test and the shim that is preloaded into canaryd (tests/faults/shim.cc) share: a file,
// mapped by both. All zero: nothing happens.
// Thread: any; each field is an atomic or set while nothing is armed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace canary::faults {

// Calls that can be made to misbehave.
enum class Call : std::uint8_t {
  epoll_wait,
  epoll_ctl,
  timerfd_settime,
  recv,
  send,
  sendmsg,
  recvmsg,
  connect,
  socket,
  accept,
  open,
  read,
  write,
  pwrite,
  fsync,
  rename,
  unlink,
  stat,
  mutex_lock,
  poll,
  ppoll,
  sigtimedwait,
  getrandom,
  linker,        // dl_iterate_phdr
  digest,        // SHA256, of every file that a run verifies
  handshake,     // SSL_do_handshake, SSL_connect
  resolve,       // ares_getaddrinfo, ares_search
  queue_answer,  // MHD_queue_response
  clock,         // clock_gettime
  free_memory,
  signal,  // none: whatever the thread is at that a test sends the shim's signal to
};
inline constexpr std::size_t kCalls = 31;

enum class Misdeed : std::int32_t {
  none = 0,
  hang,   // in futex(2), until it is taken back
  sleep,  // in nanosleep(2), likewise
  spin,   // computes, likewise
  late,   // by `argument` milliseconds, then the call is made
  fail,   // errno is `argument`
  end,    // the thread ends
  crash,  // SIGSEGV
  ahead,  // of clocks: shows `argument` seconds more
};

struct CallSlot {
  std::atomic<Misdeed> misdeed{Misdeed::none};
  std::atomic<std::int64_t> argument{0};
  std::atomic<std::int64_t> skip{0};   // so many pass first
  std::atomic<std::int64_t> limit{0};  // at most so often; 0: for ever
  std::atomic<std::int64_t> hits{0};
  std::array<char, 16> thread{};  // prefix of its name; empty: any
  std::array<char, 64> path{};    // a part of the file's; empty: any
};

struct AllocationSlot {
  std::atomic<std::int32_t> armed{0};
  std::atomic<std::int64_t> from{0};   // the first that fails, counted from 1
  std::atomic<std::int64_t> count{0};  // how many do
  std::atomic<std::int64_t> seen{0}, failed{0};
  std::array<char, 96> threads{};  // prefixes of names, each between commas: ",loop,cpu,"
};

struct ShimControl {
  std::atomic<std::int32_t> process{0};  // the only one that misbehaves
  std::atomic<std::int32_t> signal{0};   // the shim's own; 0: it is not loaded
  std::array<CallSlot, kCalls> calls;
  AllocationSlot allocations;
};

static_assert(sizeof(CallSlot) == 120 && offsetof(ShimControl, calls) == 8 &&
                  offsetof(CallSlot, thread) == 40,
              "tests/alerts/machines.py writes it, too");

template <std::size_t kBytes>
void set_text(std::array<char, kBytes>& into, std::string_view text) {
  into = {};
  std::memcpy(into.data(), text.data(), text.size() < kBytes ? text.size() : kBytes - 1);
}

}  // namespace canary::faults

// SPDX-License-Identifier: Apache-2.0
// The listening sockets of the process, for its end: a successor must be able to bind even if a
// thread in uninterruptible sleep keeps this process, and so its descriptors, from going.
// Thread: hold() and forget() main; close() any. Allocates nothing, takes no lock.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>

namespace canary::watchdog {

class Listeners {
 public:
  static constexpr std::size_t kMost = 64;

  // These as well; copies of one socket are each to be named. The first `inherited` of them listen
  // for whoever gave them to us, too, and go on.
  void hold(std::span<int const> sockets, std::size_t inherited = 0) {
    std::size_t count = count_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < sockets.size() && count < kMost; ++i, ++count) {
      inherited_.data()[count].store(i < inherited, std::memory_order_relaxed);
      sockets_.data()[count].store(sockets.data()[i], std::memory_order_relaxed);
    }
    count_.store(count, std::memory_order_release);
  }
  // Their owners close them.
  void forget() { count_.store(0, std::memory_order_release); }

  // Once, before the process ends: whoever polls them does not matter any more. Shut down first:
  // that frees the address whoever else holds a copy.
  void close() {
    std::size_t const count = count_.exchange(0, std::memory_order_acq_rel);
    for (std::size_t i = 0; i < count; ++i) {
      if (inherited_.data()[i].load(std::memory_order_relaxed)) continue;
      ::shutdown(sockets_.data()[i].load(std::memory_order_relaxed), SHUT_RDWR);
    }
    for (std::size_t i = 0; i < count; ++i) {
      ::close(sockets_.data()[i].load(std::memory_order_relaxed));
    }
  }

 private:
  std::array<std::atomic<int>, kMost> sockets_{};
  std::array<std::atomic<bool>, kMost> inherited_{};
  std::atomic<std::size_t> count_{0};
};

}  // namespace canary::watchdog

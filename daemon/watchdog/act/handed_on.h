// SPDX-License-Identifier: Apache-2.0
// Listening sockets that were handed to this process, for the program that is started anew in its
// place: it gets them as we did, from descriptor 3 on (sd_listen_fds(3)).
// Thread: keep() control's, once; put_in_place() any, at the end. Allocates nothing, takes no lock.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>

namespace canary::watchdog {

class HandedOn {
 public:
  static constexpr std::size_t kMost = 16;
  static constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
  // Where copies are to be: above all that they are put in place of.
  static constexpr int kAbove = kFirst + static_cast<int>(kMost);

  // Copies of the sockets, each at kAbove or higher; ours from now on.
  void keep(std::span<int const> copies) {
    std::size_t const count = copies.size() < kMost ? copies.size() : kMost;
    for (std::size_t i = 0; i < count; ++i) {
      copies_.data()[i].store(copies.data()[i], std::memory_order_relaxed);
    }
    count_.store(count, std::memory_order_release);
  }
  // Whatever has those numbers in this process is closed: it is about to be replaced.
  void put_in_place() const {
    std::size_t const count = count_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < count; ++i) {
      ::syscall(SYS_dup3, copies_.data()[i].load(std::memory_order_relaxed),
                kFirst + static_cast<int>(i), 0);
    }
  }

 private:
  std::array<std::atomic<int>, kMost> copies_{};
  std::atomic<std::size_t> count_{0};
};

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// Takes listening sockets from the server's threads and gives them back, without their help: the
// number that they accept on leads to an eventfd meanwhile, on which nobody ever comes. Threads
// that accept and then fail would otherwise have every connection before anybody else. Their epoll
// instances keep the socket, for copies of it stay open; so does what they see once the number
// leads back. Thread: hold() and leave_alone() control's; the rest the watchdog's. Allocates
// nothing, takes no lock.
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <span>

namespace canary::watchdog {

class Takeover {
 public:
  static constexpr std::size_t kMost = 16;

  // Once. `sockets` are the server's, `copies` ours of the same (-1: none, it cannot be taken);
  // `nothing` is an eventfd. None of them is closed here.
  void hold(std::span<int const> sockets, std::span<int const> copies, int nothing) {
    nothing_ = nothing;
    std::size_t const count = sockets.size() < kMost ? sockets.size() : kMost;
    for (std::size_t i = 0; i < count; ++i) {
      places_.data()[i].socket = sockets.data()[i];
      places_.data()[i].copy = copies.data()[i];
    }
    count_.store(count, std::memory_order_release);
  }
  std::size_t count() const { return count_.load(std::memory_order_acquire); }
  bool taken(std::size_t place) const { return places_.data()[place].taken; }

  void take(std::size_t place) { lead(places_.data()[place], true); }
  void give_back(std::size_t place) { lead(places_.data()[place], false); }

  // For good, before the server closes its sockets: their numbers may be another's then. Waits for
  // a change under way, a second at most.
  void leave_alone() {
    count_.store(0, std::memory_order_seq_cst);
    constexpr int kRounds = 1'000;
    timespec const pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    for (int i = 0; i < kRounds && changing_.load(std::memory_order_seq_cst); ++i) {
      ::nanosleep(&pause, nullptr);
    }
  }

 private:
  struct Place {
    int socket = -1, copy = -1;
    bool taken = false;
  };
  void lead(Place& place, bool away) {
    if (place.copy < 0 || place.taken == away) return;
    changing_.store(true, std::memory_order_seq_cst);
    if (count_.load(std::memory_order_seq_cst) != 0) {
      int const to = away ? nothing_ : place.copy;
      if (::syscall(SYS_dup3, to, place.socket, O_CLOEXEC) >= 0) place.taken = away;
    }
    changing_.store(false, std::memory_order_seq_cst);
  }

  std::array<Place, kMost> places_{};
  int nothing_ = -1;
  std::atomic<std::size_t> count_{0};
  std::atomic<bool> changing_{false};
};

}  // namespace canary::watchdog

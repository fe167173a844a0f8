// SPDX-License-Identifier: Apache-2.0
// Connections within the process over which the watchdog asks the HTTP server's threads: one for
// each thread, handed to it as if somebody had connected. No address, firewall, full backlog or
// want of a descriptor comes between; what cannot be asked is known as such.
// Thread: the server's keeper gives; the watchdog's takes. Allocates nothing, takes no lock.
#pragma once

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>
#include <utility>

namespace canary::watchdog {

// What is asked for: nothing but that it is answered, by 200.
inline constexpr std::string_view kAskedPath = "/-/asked";

class SelfChannels {
 public:
  static constexpr std::size_t kMost = 32;  // threads; more are not asked

  // How many there are to be, so many in a row for each listener. Once, before anything is given.
  void expect(std::size_t count, std::size_t for_each_listener) {
    for_each_listener_.store(for_each_listener, std::memory_order_relaxed);
    count_.store(count < kMost ? count : kMost, std::memory_order_release);
  }
  std::size_t count() const { return count_.load(std::memory_order_acquire); }
  std::size_t for_each_listener() const {
    return for_each_listener_.load(std::memory_order_relaxed);
  }

  // There is none because the server does not take it, for want of memory and not of descriptors.
  void refuse(std::size_t place) { refused_.data()[place].store(true, std::memory_order_release); }
  bool refused(std::size_t place) const {
    return refused_.data()[place].load(std::memory_order_acquire);
  }

  // Is there none at that place, because it never was or the server closed it?
  bool wanted(std::size_t place) const {
    return sockets_.data()[place].load(std::memory_order_acquire) < 0;
  }
  // The watchdog's end, which is its own from now on; non-blocking. REQUIRES: wanted(place).
  void give(std::size_t place, int socket) {
    refused_.data()[place].store(false, std::memory_order_release);
    sockets_.data()[place].store(socket, std::memory_order_release);
  }

  // -1 where there is none.
  int at(std::size_t place) const { return sockets_.data()[place].load(std::memory_order_acquire); }
  // It is of no use any more: another one is wanted.
  void drop(std::size_t place) {
    int const socket = sockets_.data()[place].exchange(-1, std::memory_order_acq_rel);
    if (socket >= 0) ::close(socket);
  }

 private:
  static constexpr std::array<std::atomic<int>, kMost> none() {
    return none(std::make_index_sequence<kMost>{});
  }
  template <std::size_t... kPlaces>
  static constexpr std::array<std::atomic<int>, kMost> none(std::index_sequence<kPlaces...>) {
    return {((void)kPlaces, -1)...};
  }
  std::array<std::atomic<int>, kMost> sockets_ = none();
  std::array<std::atomic<bool>, kMost> refused_{};
  std::atomic<std::size_t> count_{0}, for_each_listener_{0};
};

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// Where the watchdog leaves what is to be answered instead of the HTTP server, and the word that it
// is to be: two buffers, each under a sequence lock, so that a whole one is there even while the
// other is being written, or never finished.
// Thread: publish() and what is set the watchdog's; the rest any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/published.h"

namespace canary::watchdog {

inline constexpr std::size_t kEmergencyListeners = 16;
inline constexpr std::size_t kEmergencyPageBytes = std::size_t{40} << 10;

// Metrics that never change, as whole lines; NUL-terminated.
using PreambleText = std::array<char, 4'096>;

struct EmergencyTexts {
  std::int64_t written_ns = 0;  // monotonic
  std::uint32_t page_size = 0;
  std::array<char, kEmergencyPageBytes> page{};  // of metrics
  std::array<char, 256> reason{};                // why canaryd is not healthy; NUL-terminated
  std::array<char, 256> not_live{};              // why only a restart helps; empty: it lives

  std::string_view page_text() const { return {page.data(), page_size}; }
  std::string_view reason_text() const { return {reason.data()}; }
  std::string_view not_live_text() const { return {not_live.data()}; }
};

class EmergencyBoard {
 public:
  void publish(EmergencyTexts const& texts) {
    std::uint32_t const next = newest_.load(std::memory_order_relaxed) == 1 ? 2 : 1;
    buffers_.data()[next - 1].store(texts);
    newest_.store(next, std::memory_order_release);
  }
  // False while there is none, or the writer was faster than all attempts.
  bool read(EmergencyTexts& into) const {
    for (int attempt = 0; attempt < 3; ++attempt) {
      std::uint32_t const newest = newest_.load(std::memory_order_acquire);
      if (newest == 0) return false;
      if (buffers_.data()[newest - 1].load(into)) return true;
    }
    return false;
  }

  // The listener of that number is taken from the server's threads: who connects there is not to be
  // left to them.
  void set_taken(std::size_t listener, bool taken) {
    taken_.data()[listener].store(taken, std::memory_order_release);
  }
  bool taken(std::size_t listener) const {
    return taken_.data()[listener].load(std::memory_order_acquire);
  }

  // The first so many listeners are left unanswered: TLS or a password is asked for there, and the
  // page would go out to anybody.
  void set_guarded(std::size_t listeners) { guarded_.store(listeners, std::memory_order_release); }
  bool guarded(std::size_t listener) const {
    return listener < guarded_.load(std::memory_order_acquire);
  }

  void set_answering(bool on) { answering_.store(on, std::memory_order_release); }
  bool answering() const { return answering_.load(std::memory_order_acquire); }

 private:
  std::array<runtime::Published<EmergencyTexts>, 2> buffers_;
  std::atomic<std::uint32_t> newest_{0};  // 1 or 2; 0: none yet
  std::atomic<bool> answering_{false};
  std::array<std::atomic<bool>, kEmergencyListeners> taken_{};
  std::atomic<std::size_t> guarded_{0};
};

}  // namespace canary::watchdog

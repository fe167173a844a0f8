// SPDX-License-Identifier: Apache-2.0
// Since when the HTTP server's threads have been at the answers they are making: one that never
// ends shows a stuck thread that the watchdog's own question may happen not to meet.
// Thread: begin() and end() any; oldest() the watchdog's. Takes no lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace canary::watchdog {

class Answering {
 public:
  static constexpr std::size_t kPlaces = 32;  // answers at once; more are not watched

  // The place taken, for end(); kPlaces where none is free.
  std::size_t begin(std::int64_t now_ns) {
    for (std::size_t i = 0; i < kPlaces; ++i) {
      std::int64_t nobody = 0;
      if (since_ns_.data()[i].compare_exchange_strong(nobody, now_ns)) return i;
    }
    return kPlaces;
  }
  void end(std::size_t place) {
    if (place < kPlaces) since_ns_.data()[place].store(0, std::memory_order_release);
  }
  // Since when the oldest answer is being made, monotonic nanoseconds; 0: none is.
  std::int64_t oldest() const {
    std::int64_t oldest = 0;
    for (std::atomic<std::int64_t> const& each : since_ns_) {
      std::int64_t const since = each.load(std::memory_order_acquire);
      if (since != 0 && (oldest == 0 || since < oldest)) oldest = since;
    }
    return oldest;
  }

 private:
  std::array<std::atomic<std::int64_t>, kPlaces> since_ns_{};
};

// Says that an answer is being made, for as long as it lives.
class AnswerMark {
 public:
  AnswerMark(Answering* answering, std::int64_t now_ns) : answering_(answering) {
    if (answering_ != nullptr) place_ = answering_->begin(now_ns);
  }
  ~AnswerMark() {
    if (answering_ != nullptr) answering_->end(place_);
  }
  AnswerMark(AnswerMark const&) = delete;
  AnswerMark& operator=(AnswerMark const&) = delete;

 private:
  Answering* answering_;
  std::size_t place_ = Answering::kPlaces;
};

}  // namespace canary::watchdog

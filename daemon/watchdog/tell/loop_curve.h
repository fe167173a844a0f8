// SPDX-License-Identifier: Apache-2.0
// How late the loop was at worst in each stretch of ten seconds of the last hour: what a page
// draws. Thread: look() the watchdog's, which allocates nothing; any thread reads, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtime/tables.h"

namespace canary::watchdog {

class LoopCurve {
 public:
  static constexpr std::size_t kPlaces = 360;
  static constexpr std::int64_t kStepNs = runtime::kLagSlotNs;

  static std::int64_t number_of(std::int64_t now_ns) { return now_ns / kStepNs; }

  // What the loop noted of its beats, and for how long it stands still now (0: it turns).
  void look(runtime::LoopRecord const& loop, std::int64_t standing_ns, std::int64_t now_ns) {
    std::int64_t const current = number_of(now_ns);
    for (std::int64_t number = current - 1; number <= current; ++number) {
      if (number <= 0) continue;
      auto const& slot =
          loop.lag_history.data()[static_cast<std::size_t>(number) % runtime::kLagSlots];
      if (slot.number.load(std::memory_order_acquire) != number) continue;
      raise(number, static_cast<std::int64_t>(slot.worst_ns.load(std::memory_order_relaxed)));
    }
    raise(current, standing_ns);
  }

  // Microseconds, of the stretch with that number; nothing where nobody looked then.
  std::optional<std::uint32_t> at(std::int64_t number) const {
    if (number <= 0) return std::nullopt;
    std::uint64_t const both = place(number).load(std::memory_order_acquire);
    if (both >> kHalf != tag(number)) return std::nullopt;
    return static_cast<std::uint32_t>(both);
  }

 private:
  static constexpr unsigned kHalf = 32;
  static constexpr std::int64_t kMost = UINT32_MAX;

  static std::uint64_t tag(std::int64_t number) { return static_cast<std::uint32_t>(number); }
  std::atomic<std::uint64_t> const& place(std::int64_t number) const {
    return places_.data()[static_cast<std::size_t>(number) % kPlaces];
  }
  void raise(std::int64_t number, std::int64_t late_ns) {
    std::int64_t const late = late_ns / 1'000;
    auto const value = static_cast<std::uint64_t>(late < kMost ? late : kMost);
    if (auto const known = at(number); known && *known >= value) return;
    places_.data()[static_cast<std::size_t>(number) % kPlaces].store(tag(number) << kHalf | value,
                                                                     std::memory_order_release);
  }

  // The stretch's number above, what is known of it below.
  std::array<std::atomic<std::uint64_t>, kPlaces> places_{};
};

}  // namespace canary::watchdog

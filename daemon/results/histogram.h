// SPDX-License-Identifier: Apache-2.0
// Counts of durations by upper bound, as a plain value and as one that a thread fills while others
// read it.
// Thread: Histogram none (value); AtomicHistogram written by one thread, read by any.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace canary::daemon {

// Upper bounds in seconds, without +Inf.
inline constexpr std::array<double, 14> kDurationBounds{0.01, 0.05, 0.1, 0.25, 0.5, 1,   2.5,
                                                        5,    10,   30,  60,   120, 300, 900};
inline constexpr std::array<double, 12> kLagBounds{0.001, 0.005, 0.01, 0.05, 0.1, 0.25,
                                                   0.5,   1,     2.5,  5,    10,  30};

// REQUIRES of both: bounds ascend and outlive the histogram (they are constants above).
struct Histogram {
  explicit Histogram(std::span<double const> upper_bounds)
      : bounds(upper_bounds), counts(upper_bounds.size() + 1) {}

  void observe(std::chrono::nanoseconds value) {
    double const seconds = std::chrono::duration<double>(value).count();
    auto const bucket = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
    ++counts[static_cast<std::size_t>(bucket)];
    sum_seconds += seconds;
  }
  std::uint64_t count() const {
    std::uint64_t total = 0;
    for (auto const bucket : counts) total += bucket;
    return total;
  }

  std::span<double const> bounds;
  std::vector<std::uint64_t> counts;  // not cumulative; the last is above every bound
  double sum_seconds = 0;
};

template <std::size_t N>
class AtomicHistogram {
 public:
  explicit AtomicHistogram(std::array<double, N> const& bounds) : bounds_(bounds) {}

  void observe(std::chrono::nanoseconds value) {
    double const seconds = std::chrono::duration<double>(value).count();
    auto const bucket = std::ranges::lower_bound(bounds_, seconds) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(value.count(), std::memory_order_relaxed);
  }
  Histogram load() const {
    Histogram copy{bounds_};
    for (std::size_t i = 0; i <= N; ++i)
      copy.counts[i] = counts_[i].load(std::memory_order_relaxed);
    copy.sum_seconds = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) / 1e9;
    return copy;
  }

 private:
  std::array<double, N> const& bounds_;
  std::array<std::atomic<std::uint64_t>, N + 1> counts_{};
  std::atomic<std::int64_t> sum_ns_{0};
};

}  // namespace canary::daemon

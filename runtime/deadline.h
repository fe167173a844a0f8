// SPDX-License-Identifier: Apache-2.0
// A point on the monotonic clock by which something must be over; passed along by value, so that
// nested waits share one budget.
// Thread: none (pure).
#pragma once

#include <algorithm>
#include <chrono>

namespace canary::runtime {

using Clock = std::chrono::steady_clock;

class Deadline {
 public:
  static Deadline never() { return Deadline{Clock::time_point::max()}; }
  static Deadline at(Clock::time_point point) { return Deadline{point}; }
  // `now` + `span`; a span beyond a century means never.
  static Deadline after(Clock::duration span, Clock::time_point now = Clock::now()) {
    return span >= std::chrono::hours{24 * 36'500} ? never() : Deadline{now + span};
  }

  Clock::time_point point() const { return point_; }
  bool passed(Clock::time_point now = Clock::now()) const { return now >= point_; }
  // What is left; zero once passed.
  Clock::duration left(Clock::time_point now = Clock::now()) const {
    return std::max(Clock::duration::zero(), point_ - now);
  }
  // The earlier of this and `now` + `span`.
  Deadline within(Clock::duration span, Clock::time_point now = Clock::now()) const {
    return Deadline{std::min(point_, after(span, now).point_)};
  }
  friend auto operator<=>(Deadline const&, Deadline const&) = default;

 private:
  explicit Deadline(Clock::time_point point) : point_(point) {}
  Clock::time_point point_;
};

}  // namespace canary::runtime

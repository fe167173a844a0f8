// SPDX-License-Identifier: Apache-2.0
// Time that is nobody's fault, so that ages can be told without it.
// Thread: none (pure; `now` is always a parameter).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace canary::watchdog {

class Grace {
 public:
  // `grace` nanoseconds of (from, to] count for nobody. In order of time.
  void add(std::int64_t from, std::int64_t to, std::int64_t grace) {
    if (to <= from || grace <= 0) return;
    if (grace > to - from) grace = to - from;
    if (count_ > 0) {
      // Neighbours of one density become one, so that steady starvation takes one place.
      Span& last = spans_.data()[count_ - 1];
      bool const whole = last.grace == last.to - last.from && grace == to - from;
      if (last.to == from && whole) {
        last.to = to;
        last.grace += grace;
        return;
      }
    }
    if (count_ == kSpans) merge_oldest();
    spans_.data()[count_++] = {from, to, grace};
  }

  std::int64_t within(std::int64_t from, std::int64_t to) const {
    std::int64_t sum = 0;
    for (std::size_t i = count_; i > 0; --i) {
      Span const& span = spans_.data()[i - 1];
      if (span.to <= from) break;
      std::int64_t const begin = span.from > from ? span.from : from;
      std::int64_t const end = span.to < to ? span.to : to;
      if (end <= begin) continue;
      double const share =
          static_cast<double>(end - begin) / static_cast<double>(span.to - span.from);
      sum += static_cast<std::int64_t>(share * static_cast<double>(span.grace));
    }
    return sum;
  }

  // How old something is that began at `since`, without its grace; never negative.
  std::int64_t age(std::int64_t since, std::int64_t now) const {
    std::int64_t const age = now - since - within(since, now);
    return age > 0 ? age : 0;
  }

 private:
  struct Span {
    std::int64_t from = 0, to = 0, grace = 0;
  };
  static constexpr std::size_t kSpans = 256;

  // The older half, two by two.
  void merge_oldest() {
    std::size_t into = 0;
    for (std::size_t i = 0; i < kSpans / 2; i += 2) {
      Span const& a = spans_.data()[i];
      Span const& b = spans_.data()[i + 1];
      spans_.data()[into++] = {a.from, b.to, a.grace + b.grace};
    }
    for (std::size_t i = kSpans / 2; i < kSpans; ++i) spans_.data()[into++] = spans_.data()[i];
    count_ = into;
  }

  std::array<Span, kSpans> spans_{};
  std::size_t count_ = 0;
};

// How much grace a thread of that limit has in one go for what befell it alone: it was given no
// CPU, was traced or stopped.
constexpr std::int64_t bound_of(std::int64_t limit) {
  constexpr std::int64_t kMost = 300'000'000'000;
  return limit < kMost / 5 ? limit * 5 : kMost;
}

// What counts for nobody because nothing of the process ran (it was stopped, the machine slept),
// without bound; and the grace that one thread has beside that, within a bound.
class ThreadGrace {
 public:
  // `all` nanoseconds of (from, to] were nobody's, `own` were withheld from the thread, whether
  // among those or not. In order of time.
  void add(std::int64_t from, std::int64_t to, std::int64_t all, std::int64_t own) {
    all_.add(from, to, all);
    if (own > all) own_.add(from, to, own - all);
  }
  std::int64_t age(std::int64_t since, std::int64_t now, std::int64_t bound) const {
    std::int64_t const own = own_.within(since, now);
    std::int64_t const age = all_.age(since, now) - (own < bound ? own : bound);
    return age > 0 ? age : 0;
  }
  // What counts for nobody.
  std::int64_t everybodys(std::int64_t from, std::int64_t to) const {
    return all_.within(from, to);
  }
  // All of it, whatever the bound.
  std::int64_t whole(std::int64_t from, std::int64_t to) const {
    return all_.within(from, to) + own_.within(from, to);
  }
  // Was more withheld from it than its grace?
  bool overdrawn(std::int64_t since, std::int64_t now, std::int64_t bound) const {
    return own_.within(since, now) > bound;
  }

 private:
  Grace all_, own_;
};

}  // namespace canary::watchdog

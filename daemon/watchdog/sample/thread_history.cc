// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/thread_history.h"

namespace canary::watchdog {

void ThreadHistory::add(ThreadSample const& sample, std::uint64_t count) {
  samples_.data()[added_ % kSamples] = sample;
  counts_.data()[added_ % kSamples] = count;
  ++added_;
}

ThreadSample ThreadHistory::newest() const {
  return empty() ? ThreadSample{} : samples_.data()[(added_ - 1) % kSamples];
}

ThreadSample ThreadHistory::earlier() const {
  return added_ > 1 ? samples_.data()[place_of_earlier()] : ThreadSample{};
}

std::uint64_t ThreadHistory::earlier_count() const { return counts_.data()[place_of_earlier()]; }

// The newest that is old enough, else the oldest there is.
std::size_t ThreadHistory::place_of_earlier() const {
  std::size_t const held = added_ < kSamples ? added_ : kSamples;
  std::size_t place = empty() ? 0 : (added_ - 1) % kSamples;
  for (std::size_t back = 1; back < held; ++back) {
    place = (added_ - 1 - back) % kSamples;
    if (newest().at_ns - samples_.data()[place].at_ns >= kCompareAfter) break;
  }
  return place;
}

std::int64_t CpuUsage::in(std::int64_t work_since_ns, ThreadSample const& now) {
  if (work_since_ns == 0 || !now.timed || now.cpu_ns == 0) return 0;
  if (work_since_ns != since_ns_) {
    since_ns_ = work_since_ns;
    cpu_ns_ = now.cpu_ns;
  }
  return now.cpu_ns - cpu_ns_;
}

}  // namespace canary::watchdog

// SPDX-License-Identifier: Apache-2.0
// What is remembered of a thread from sample to sample.
// Thread: none (values). Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "daemon/watchdog/judge/judgement.h"

namespace canary::watchdog {

// The last samples, to compare the newest with one that is old enough.
class ThreadHistory {
 public:
  static constexpr std::size_t kSamples = 12;
  static constexpr std::int64_t kCompareAfter = 200'000'000;  // between two samples, at the best

  // `count`: handlers or jobs that the thread had done by then.
  void add(ThreadSample const& sample, std::uint64_t count);
  void clear() { added_ = 0; }
  bool empty() const { return added_ == 0; }

  // Where there is none, one that is not known.
  ThreadSample newest() const;
  // What the newest is to be compared with; where there are not two, one that is not known.
  ThreadSample earlier() const;
  std::uint64_t earlier_count() const;

 private:
  std::size_t place_of_earlier() const;

  std::array<ThreadSample, kSamples> samples_{};
  std::array<std::uint64_t, kSamples> counts_{};
  std::size_t added_ = 0;
};

// The CPU time that a thread used in one handler or job, since that was first seen.
class CpuUsage {
 public:
  std::int64_t in(std::int64_t work_since_ns, ThreadSample const& now);
  // Is that the handler or job that it was last asked about?
  bool is_of(std::int64_t work_since_ns) const { return since_ns_ == work_since_ns; }

 private:
  std::int64_t since_ns_ = 0, cpu_ns_ = 0;
};

}  // namespace canary::watchdog

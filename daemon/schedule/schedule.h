// SPDX-License-Identifier: Apache-2.0
// When each probe is due: a fixed rate with a phase that follows from its name, so that a thousand
// probes don't start together and a restart does not shift them.
// Thread: none (pure; `now` is always a parameter).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/deadline.h"

namespace canary::daemon {

using TimePoint = runtime::Clock::time_point;

struct Due {
  std::string probe;
  TimePoint at;              // when it should have started
  std::uint64_t missed = 0;  // earlier runs that were never started: a stall or a suspended machine
};

class Schedule {
 public:
  // First runs are spread over min(interval, `start_spread`).
  explicit Schedule(runtime::Clock::duration start_spread) : start_spread_(start_spread) {}

  // The probe is due from now on, each `interval`. A known probe with the same interval keeps its
  // times; with another one it starts anew.
  void set(std::string const& probe, runtime::Clock::duration interval, TimePoint now);
  void remove(std::string_view probe);

  // What is due, earliest first, each probe once: runs that were missed are counted, not made up.
  // So many at `most`; the others stay due.
  std::vector<Due> take_due(TimePoint now, std::size_t most = SIZE_MAX);

  std::optional<TimePoint> next() const;                        // of all
  std::optional<TimePoint> next(std::string_view probe) const;  // of one

 private:
  struct Entry {
    runtime::Clock::duration interval;
    TimePoint due;
    bool first = true;
  };
  using Queue = std::set<std::pair<TimePoint, std::string>>;

  runtime::Clock::duration start_spread_;
  std::map<std::string, Entry, std::less<>> entries_;
  Queue queue_;
};

// Where in [0, span) the probe's runs start: the same for the same name, always.
runtime::Clock::duration phase(std::string_view probe, runtime::Clock::duration span);

}  // namespace canary::daemon

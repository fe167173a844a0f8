// SPDX-License-Identifier: Apache-2.0
#include "daemon/schedule/schedule.h"

#include <algorithm>

#include "config/fnv.h"

namespace canary::daemon {
namespace {

using Duration = runtime::Clock::duration;

// FNV-1a with a final mix: short names that differ in a digit land far apart.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = fnv1a(text);
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccd;
  value ^= value >> 33;
  return value;
}

// The first time after `from` that lies on the probe's own grid of `interval`.
TimePoint next_on_grid(std::string_view probe, Duration interval, TimePoint from) {
  Duration const offset = (from.time_since_epoch() - phase(probe, interval)) % interval;
  return from + (interval - (offset + interval) % interval);
}

}  // namespace

Duration phase(std::string_view probe, Duration span) {
  if (span <= Duration::zero()) return Duration::zero();
  auto const count = static_cast<std::uint64_t>(span.count());
  return Duration{static_cast<Duration::rep>(hash(probe) % count)};
}

void Schedule::set(std::string const& probe, Duration interval, TimePoint now) {
  if (auto const known = entries_.find(probe); known != entries_.end()) {
    if (known->second.interval == interval) return;
    remove(probe);
  }
  TimePoint const due = now + phase(probe, std::min(interval, start_spread_));
  entries_.emplace(probe, Entry{interval, due, true});
  queue_.emplace(due, probe);
}

void Schedule::remove(std::string_view probe) {
  auto const known = entries_.find(probe);
  if (known == entries_.end()) return;
  queue_.erase({known->second.due, known->first});
  entries_.erase(known);
}

std::vector<Due> Schedule::take_due(TimePoint now, std::size_t most) {
  std::vector<Due> result;
  while (result.size() < most && !queue_.empty() && queue_.begin()->first <= now) {
    auto const node = queue_.extract(queue_.begin());
    std::string const& probe = node.value().second;
    Entry& entry = entries_.find(probe)->second;
    Due due{probe, entry.due, 0};
    TimePoint next{};
    if (entry.first) {
      // The first run comes soon; later ones lie on the grid. At least half an interval apart.
      next = next_on_grid(probe, entry.interval, entry.due + entry.interval / 2);
      entry.first = false;
    } else {
      next = entry.due + entry.interval;
    }
    if (next <= now) {
      auto const behind = (now - next) / entry.interval + 1;
      due.missed = static_cast<std::uint64_t>(behind);
      next += entry.interval * behind;
    }
    entry.due = next;
    queue_.emplace(next, probe);
    result.push_back(std::move(due));
  }
  return result;
}

std::optional<TimePoint> Schedule::next() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

std::optional<TimePoint> Schedule::next(std::string_view probe) const {
  auto const known = entries_.find(probe);
  if (known == entries_.end()) return std::nullopt;
  return known->second.due;
}

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/judge/culprits.h"

#include <cstddef>

#include "daemon/text/fixed_text.h"

namespace canary::watchdog {
namespace {

bool same_text(ProbeText const& held, std::string_view text) {
  std::size_t size = 0;
  while (size < held.size() && held.data()[size] != 0) ++size;
  return std::string_view{held.data(), size} == text;
}

std::int64_t newest_of(Culprit const& culprit) {
  std::int64_t newest = 0;
  for (std::int64_t const time : culprit.wall_ns) newest = time > newest ? time : newest;
  return newest;
}

struct Found {
  std::size_t place = kCulprits;  // that many: there is none
  Culprit culprit;
};

// The probe's own; a fresh one; where all are used, that of who stalled longest ago and is not in
// quarantine.
Found place_for(Culprits const& culprits, std::string_view probe) {
  std::size_t const count = culprits.count.load(std::memory_order_relaxed);
  Found oldest;
  std::int64_t oldest_ns = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Culprit each;
    culprits.places.data()[i].load(each);
    if (same_text(each.probe, probe)) return {i, each};
    std::int64_t const newest = newest_of(each);
    if (each.quarantined == 0 && (oldest.place == kCulprits || newest < oldest_ns)) {
      oldest.place = i;
      oldest_ns = newest;
    }
  }
  if (count < kCulprits) oldest.place = count;
  copy_text(oldest.culprit.probe, probe);
  return oldest;
}

}  // namespace

bool note_culprit(Culprits& culprits, std::string_view probe, std::int64_t wall_ns,
                  int quarantine_after, std::int64_t window_ns) {
  auto [place, culprit] = place_for(culprits, probe);
  if (place == kCulprits) return false;
  ++culprit.stalls;
  std::int64_t* oldest = culprit.wall_ns.data();
  for (std::int64_t& time : culprit.wall_ns) {
    if (time < *oldest) oldest = &time;
  }
  *oldest = wall_ns;
  int recent = 0;
  for (std::int64_t const time : culprit.wall_ns) {
    if (time != 0 && wall_ns - time <= window_ns) ++recent;
  }
  bool const fresh = culprit.quarantined == 0 && recent >= quarantine_after;
  if (fresh) culprit.quarantined = 1;
  culprits.places.data()[place].store(culprit);
  if (place == culprits.count.load(std::memory_order_relaxed)) {
    culprits.count.store(static_cast<std::uint32_t>(place + 1), std::memory_order_release);
  }
  return fresh;
}

}  // namespace canary::watchdog

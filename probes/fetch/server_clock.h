// SPDX-License-Identifier: Apache-2.0
// What servers' Date headers say about our clock: one server's difference, and whether several
// together say that it is ours which is off.
// Thread: none (pure), but for kernel_clock().
// Source: RFC 9110 section 6.6.1 (Date), RFC 9111 section 5.1 (Age), ntp_adjtime(3).
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/deadline.h"

namespace canary::fetch {

// A server's clock beside ours. Positive: theirs is ahead, or ours behind.
struct ClockDifference {
  std::chrono::milliseconds theirs_minus_ours{0};
  std::chrono::milliseconds uncertainty{0};  // half a second of the Date, half the round trip

  // Is it more than what a slow answer or a lazy clock explains?
  bool matters() const;
  friend bool operator==(ClockDifference const&, ClockDifference const&) = default;
};

// `age` of an answer that a cache kept is added to its date. Nothing where there is no Date, or one
// that is none. `received` is our time when the head was read, `round_trip` since it was asked for.
std::optional<ClockDifference> clock_difference(std::string_view date, std::string_view age,
                                                std::chrono::system_clock::time_point received,
                                                std::chrono::nanoseconds round_trip);

// By host.
using ClockDifferences = std::map<std::string, ClockDifference>;

// Is our clock kept by somebody, as the kernel knows it? In a container this is the host's answer,
// in some there is none.
enum class KernelClock { synchronised, unsynchronised, unknown };
KernelClock kernel_clock();

// Our clock is off, by the word of others.
struct ClockVerdict {
  ClockDifference by;         // what they agree about
  std::size_t witnesses = 0;  // independent ones
  bool kernel = false;        // and the kernel says that nobody keeps our clock
};

// Remembers for an hour what was seen of each host. One repository's hosts, and one host of several
// repositories, are one witness: mirrors share a publisher, and one clock proves nothing.
class ClockWitnesses {
 public:
  using Time = runtime::Clock::time_point;

  // `repository` is what mirrors of one repository share.
  void add(std::string const& repository, ClockDifferences const& seen, Time now);

  // Nothing unless more than half of the witnesses, and at least two (the kernel counts as one
  // where it says `unsynchronised`), agree within a minute about a difference that matters; one of
  // them must not be `repository`'s own, whose finding it is about.
  std::optional<ClockVerdict> verdict(std::string const& repository, KernelClock kernel,
                                      Time now) const;

 private:
  struct Seen {
    ClockDifference difference;
    Time at;
  };
  std::map<std::pair<std::string, std::string>, Seen> seen_;  // by repository and host
};

}  // namespace canary::fetch

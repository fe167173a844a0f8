// SPDX-License-Identifier: Apache-2.0
// Where the time of a run's requests goes.
// Thread: none (pure).
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canary::probes {

// Always exactly one of them.
enum class Phase : std::uint8_t {
  queue,    // before anything is sent: settings, certificates, files
  backoff,  // between two attempts
  resolve,
  connect,
  proxy,  // CONNECT
  tls,
  request,     // writing it
  first_byte,  // until the head of the answer is read
  body,
  verify,  // what came, where a kind counts that by itself
};
inline constexpr std::size_t kPhases = 10;

// A phase as metrics, JSON and pages have it.
struct ShownPhase {
  std::string_view word;  // "dns": the label of metrics
  std::string_view says;  // "name": for people
  std::chrono::nanoseconds time{0};
};
inline constexpr std::size_t kShownPhases = 8;

// Time by phase. They follow each other without a gap, so their sum is the total.
struct PhaseTimes {
  std::array<std::chrono::nanoseconds, kPhases> spent{};

  std::chrono::nanoseconds& operator[](Phase phase) {
    return spent[static_cast<std::size_t>(phase)];
  }
  std::chrono::nanoseconds operator[](Phase phase) const {
    return spent[static_cast<std::size_t>(phase)];
  }
  std::chrono::nanoseconds total() const;
  PhaseTimes& operator+=(PhaseTimes const& other);
  // In the order of a request, with the same sum: backoff counts as queue, a proxy's tunnel as
  // connect.
  std::array<ShownPhase, kShownPhases> shown() const;
  friend bool operator==(PhaseTimes const&, PhaseTimes const&) = default;
};

}  // namespace canary::probes

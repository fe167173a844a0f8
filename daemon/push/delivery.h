// SPDX-License-Identifier: Apache-2.0
// What an answer to a message means, and how long to wait before the next attempt.
// Thread: none (pure).
// Source: prometheus.io/docs/concepts/remote_write_spec, version 1.0.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace canary::push {

enum class Outcome : std::uint8_t {
  taken,
  refused,  // these samples will never be taken
  later,    // nothing is said of the samples: the same message again
};

// Of an HTTP status; 0: there was no answer. `attempts` so far, this one included: receivers answer
// 500 to some messages whatever is tried (Prometheus 2.42 to a sample that is too old), and one
// such must not hold up the others for ever.
Outcome outcome_of(int status, std::uint32_t attempts);
inline constexpr std::uint32_t kMostErrors = 5;

// Before the attempt after so many: 1 s, doubled, at most 30 s, a quarter more or less by `who`, so
// that many canaryds do not come back at once.
std::chrono::milliseconds backoff(std::uint32_t attempts, std::string_view who);

}  // namespace canary::push

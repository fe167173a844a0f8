// SPDX-License-Identifier: Apache-2.0
// The words by which a configuration may name findings, whatever the kind of probe: checks and
// reasons. A kind adds its own (config/kinds.h).
// Thread: none (constants).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace canary::config {

inline constexpr auto kCommonChecks =
    std::to_array<std::string_view>({"clock", "credentials", "files", "http", "reachable", "run"});

// probes/reason.h has a constant for each.
inline constexpr auto kCommonReasons =
    std::to_array<std::string_view>({"cancelled",     "clock",          "configuration",
                                     "connect",       "credentials",    "dns",
                                     "equivocation",  "expired",        "expiring",
                                     "freeze",        "hash_mismatch",  "http_status",
                                     "internal",      "parse",          "proxy",
                                     "rollback",      "signature",      "size_limit",
                                     "stalled",       "threshold",      "timeout",
                                     "tls",           "tls_expired",    "tls_not_yet_valid",
                                     "tls_untrusted", "tls_wrong_name", "too_slow",
                                     "unsupported"});

// Somebody changed what they must not be able to change: critical, it is never accepted.
inline constexpr auto kTamperingWords = std::to_array<std::string_view>(
    {"equivocation", "freeze", "hash_mismatch", "rollback", "signature", "threshold"});

// What is canaryd's own affair, or kept it from looking, is no oddity of a repository.
inline constexpr auto kUnacceptableChecks =
    std::to_array<std::string_view>({"clock", "credentials", "files", "reachable", "run"});

template <class Words>
constexpr bool is_one_of(Words const& words, std::string_view word) {
  return std::ranges::find(words, word) != std::ranges::end(words);
}

}  // namespace canary::config

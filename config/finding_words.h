// SPDX-License-Identifier: Apache-2.0
// The closed sets of words by which a configuration may name findings: checks and reasons. Those
// who make findings take their names from here, or are held to be complete (probes/report.cc).
// Thread: none (constants).
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace canary::config {

inline constexpr auto kCheckWords = std::to_array<std::string_view>(
    {"clock", "consistency", "credentials", "delegations", "expiry", "files", "http", "metadata",
     "reachable", "rollback", "root_chain", "run", "signatures", "store", "targets"});

inline constexpr auto kReasonWords =
    std::to_array<std::string_view>({"cancelled",      "clock",
                                     "configuration",  "connect",
                                     "credentials",    "dns",
                                     "equivocation",   "expired",
                                     "expiring",       "freeze",
                                     "hash_mismatch",  "http_status",
                                     "internal",       "metadata_missing",
                                     "parse",          "proxy",
                                     "rollback",       "signature",
                                     "size_limit",     "stalled",
                                     "target_missing", "threshold",
                                     "timeout",        "tls",
                                     "tls_expired",    "tls_not_yet_valid",
                                     "tls_untrusted",  "tls_wrong_name",
                                     "too_slow",       "unsupported"});

// Somebody changed what they must not be able to change: critical, it is never accepted.
inline constexpr auto kTamperingWords = std::to_array<std::string_view>(
    {"equivocation", "freeze", "hash_mismatch", "rollback", "signature", "threshold"});

// What is canaryd's own affair, or kept it from looking, is no oddity of a repository.
inline constexpr auto kUnacceptableChecks =
    std::to_array<std::string_view>({"clock", "credentials", "files", "reachable", "run"});

template <std::size_t N>
constexpr bool is_one_of(std::array<std::string_view, N> const& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// The name of a check; one that is not above does not compile.
consteval std::string_view check_word(std::string_view word) {
  if (!is_one_of(kCheckWords, word)) throw "name it in kCheckWords";
  return word;
}

}  // namespace canary::config

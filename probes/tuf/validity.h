// SPDX-License-Identifier: Apache-2.0
// How long a role is signed for, as far as that can be told, and the expiry thresholds that fit it.
// TUF has no issue date: what is known is when a version was first seen, what came before it, and
// when the server's file was changed. docs/checks.md says how an estimate can be wrong.
// Thread: none (pure).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/probe_spec.h"
#include "probes/tuf/metadata.h"

namespace canary::tuf {

// A version of a role as one probe has seen it, by the clock of canaryd's machine.
struct SeenVersion {
  std::uint64_t version = 0;
  Time expires{};
  Time first_seen{}, last_seen{};
  friend bool operator==(SeenVersion const&, SeenVersion const&) = default;
};

// Of one role, oldest first.
using SeenVersions = std::vector<SeenVersion>;

struct Validity {
  enum class Source : std::uint8_t {
    unknown,        // `span` is no estimate: the role is valid for at least this long
    seen_new,       // the version before was seen shortly before this one was there
    earlier,        // an earlier version was seen new
    steps,          // between the expiries of versions that follow each other
    last_modified,  // what came with the server's file, or when it was first seen if earlier
  };
  Source source = Source::unknown;
  std::chrono::seconds span{0};
  Time since{};  // seen_new, last_modified: what it is counted from
  friend bool operator==(Validity const&, Validity const&) = default;
};

// For a role that expires at `expires`. `seen` ends with the version that is served now; it may be
// empty where nothing is remembered. What was seen goes before what a server says.
Validity estimate_validity(Time expires, SeenVersions const& seen,
                           std::optional<Time> last_modified, Time now);

// "valid for about 7 days, as its file is of 2026-06-01T00:00:00Z".
std::string sentence(Validity const& validity);

// Fitted thresholds are at most this part of a role's validity: what is signed anew with a third
// of its validity left, as is common for certificates, never warns.
inline constexpr int kWarningPart = 3;
inline constexpr int kCriticalPart = 6;

struct ThresholdsInForce {
  std::chrono::seconds warning{0}, critical{0};
  bool warning_shortened = false, critical_shortened = false;  // by the role's validity
  Validity validity{};
};

// What is configured as it stands, or fitted to the validity. Where that is unknown, a warning
// comes as early as configured, and critical needs to be certain: a sixth of what is known.
ThresholdsInForce thresholds_in_force(config::ExpiryThresholds const& configured,
                                      Validity const& validity);

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// What stays known of a repository when a look at it fails: deadlines, versions, certificates'
// ends. Thread: none (pure).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/results/snapshot.h"

namespace canary::daemon {

// `before` after a run that ended `at`. What the report names replaces what was known of it; what
// it does not name stays, unless the report is complete: then it is not there any more. Seen is a
// thing when the report says, else `at`.
Known merged(Known const& before, probes::Report const& report, SysTime at);
// The things that are kept: those of the report, then older ones that expire first.
inline constexpr std::size_t kKnownThings = 128;

// Sorts what ends first to the front, and what has no end behind the rest.
std::pair<std::chrono::sys_seconds, std::string_view> by_end(probes::ThingFacts const& thing);

// What certificates there are whose end no thing tells.
std::optional<probes::CertificateEnds> certificates_beside_things(Known const& known);

// A thing has another version than before, or is seen for the first time (`was` 0).
struct VersionChange {
  HarmlessText<128> thing;
  std::int64_t version = 0, was = 0;
  friend bool operator==(VersionChange const&, VersionChange const&) = default;
};
// Those of many come and go among what is kept: of them only another version is told.
std::vector<VersionChange> versions_between(Known const& before, Known const& after);

// Whether the two say different things, whenever they were seen.
bool differ(Known const& a, Known const& b);

}  // namespace canary::daemon

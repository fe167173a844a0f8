// SPDX-License-Identifier: Apache-2.0
// What is remembered of a probe over a restart, as the text of a file.
// Thread: any (pure).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "config/result.h"
#include "daemon/results/snapshot.h"

namespace canary::daemon {

// The part of a row that outlives the process.
struct SavedState {
  probes::Subject url;  // of which repository it tells
  std::optional<probes::Severity> severity;
  SysTime since{};
  std::uint64_t consecutive_failures = 0;
  std::optional<SysTime> last_run_end, last_success, last_failure;
  std::optional<probes::Finding> last_failure_finding;
  OpenFindings open;
  Known known;
  RecentRuns recent;
  std::optional<TrustDropped> trust_dropped;
  friend bool operator==(SavedState const&, SavedState const&) = default;
};
SavedState saved_state(ProbeRow const& row);

// JSON of at most about kSavedBytes: of the open findings the worst kSavedFindings.
std::string to_text(SavedState const& state);
inline constexpr std::size_t kSavedFindings = 200;
inline constexpr std::size_t kSavedBytes = 4 * 1024 * 1024;

// The error says what is wrong with it: damaged, or of a newer canaryd. Whoever wrote it, text in
// it is harmless afterwards. `kind`: what the probe's kind declares.
Result<SavedState, std::string> parse_saved_state(std::string_view text,
                                                  probes::Declaration const& kind);

}  // namespace canary::daemon

// SPDX-License-Identifier: Apache-2.0
// What the workflow met, as findings: which check it belongs to, whether it is bad or could not be
// told, and a sentence for people. docs/checks.md explains each check.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/probe_spec.h"
#include "probes/report.h"
#include "probes/tuf/notice.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/threshold.h"

namespace canary::tuf {

// Names of checks. They are the metric label `check`: stable.
inline constexpr std::string_view kReachable = "reachable";
inline constexpr std::string_view kRootChain = "root_chain";
inline constexpr std::string_view kSignatures = "signatures";
inline constexpr std::string_view kRollback = "rollback";
inline constexpr std::string_view kConsistency = "consistency";
inline constexpr std::string_view kMetadata = "metadata";
inline constexpr std::string_view kExpiry = "expiry";
inline constexpr std::string_view kDelegations = "delegations";
inline constexpr std::string_view kTargets = "targets";
inline constexpr std::string_view kStore = "store";
inline constexpr std::string_view kCredentials = "credentials";
inline constexpr std::string_view kClock = "clock";

// What was being done: the same answer means something else for a root, metadata and a target.
enum class Stage { root_walk, metadata, target };

probes::Finding ok_finding(std::string_view check, std::string subject, std::string message,
                           std::string evidence = {});

// An answer that is wrong is critical, no answer is unknown.
probes::Finding finding_of(RefreshFailure const& failure, Stage stage);
probes::Finding finding_of(StoreFault const& fault);

config::ExpiryThresholds const& thresholds_of(config::ExpiryPolicy const& policy,
                                              std::string_view role);
// ok, warning or critical; names the date and what is left or since when.
probes::Finding expiry_finding(std::string role, Time expires, Time now,
                               config::ExpiryThresholds const& thresholds);

// "2 of 3 keys signed, 2 needed".
probes::Finding signature_finding(std::string role, SignatureTally const& tally);

// Warnings for what is odd enough to break somebody's client; one per role and kind, however often
// it was noticed. Where more than `kRolesNamed` roles share an oddity they become one finding.
std::vector<probes::Finding> notice_findings(Notices const& notices);
inline constexpr std::size_t kRolesNamed = 20;

// "12 days 3 hours", "5 minutes": the two largest units. REQUIRES: not negative.
std::string words(std::chrono::seconds span);
// "1 target", "12 targets".
std::string count(std::uint64_t number, std::string_view noun);

}  // namespace canary::tuf

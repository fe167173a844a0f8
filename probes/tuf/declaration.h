// SPDX-License-Identifier: Apache-2.0
// What the kind `tuf` declares: its names of checks and reasons, its metrics and fields.
// Thread: none (constants).
#pragma once

#include <array>
#include <string_view>

#include "probes/declaration.h"

namespace canary::tuf {

// Names of checks. They are the metric label `check`: stable.
inline constexpr std::string_view kRootChain = "root_chain";
inline constexpr std::string_view kSignatures = "signatures";
inline constexpr std::string_view kRollback = "rollback";
inline constexpr std::string_view kConsistency = "consistency";
inline constexpr std::string_view kMetadata = "metadata";
inline constexpr std::string_view kExpiry = "expiry";
inline constexpr std::string_view kDelegations = "delegations";
inline constexpr std::string_view kTargets = "targets";
inline constexpr std::string_view kStore = "store";
inline constexpr std::array kChecks{kRootChain, kSignatures,  kRollback, kConsistency, kMetadata,
                                    kExpiry,    kDelegations, kTargets,  kStore};

inline constexpr probes::Reason kTargetMissing{"target_missing"};
inline constexpr probes::Reason kMetadataMissing{"metadata_missing"};
inline constexpr std::array kReasons{kTargetMissing, kMetadataMissing};

// A role: version, size, fingerprint (by their places among its numbers) and expiry of its
// metadata.
inline constexpr std::size_t kVersion = 0, kSize = 1, kFingerprint = 2;
inline constexpr auto kRoleNumbers = std::to_array<probes::Number>(
    {{"version", "canaryd_tuf_metadata_version",
      "Version of a role's metadata, as of the last run that saw it."},
     {"size_bytes", "canaryd_tuf_metadata_size_bytes", "Size of a role's metadata file.",
      probes::Shown::in_full},
     {"fingerprint", "canaryd_tuf_metadata_fingerprint",
      "First 52 bits of the SHA-256 of what is signed of a role's metadata: the same wherever the "
      "same version is served.",
      probes::Shown::in_vantage}});
inline constexpr probes::ThingType kRole{
    .name = "role",
    .plural = "roles",
    .numbers = kRoleNumbers,
    .ends = {"expires", "canaryd_tuf_metadata_expiry_timestamp_seconds",
             "When a role's metadata expires, as of the last run that saw it."},
    .warning = {"warning_seconds", "canaryd_tuf_metadata_expiry_warning_seconds",
                "Remaining validity below which a role's expiry is a warning."},
    .critical = {"critical_seconds", "canaryd_tuf_metadata_expiry_critical_seconds",
                 "Remaining validity below which a role's expiry is critical."},
    .seen = {"seen", "canaryd_tuf_metadata_seen_timestamp_seconds",
             "When a role's metadata was seen: what is known of it stays when a later run fails."},
    .count = {"", "canaryd_tuf_roles",
              "Roles seen by the last run; of delegated ones only the 64 that expire first have "
              "series of their own.",
              probes::Shown::in_full},
    .below = "delegated_by"};

// Targets that a run looked at, by outcome.
inline constexpr std::string_view kVerified = "verified", kFailed = "failed", kUnknown = "unknown";
inline constexpr auto kOutcomes = std::to_array<probes::SampleFamily::Value>(
    {{kVerified, "verified"}, {kFailed, "bad"}, {kUnknown, "could not be checked"}});
inline constexpr probes::SampleFamily kTargetCount{
    .number = {"targets", "canaryd_tuf_targets", "Targets that the last run checked, by outcome.",
               probes::Shown::unless_zero},
    .label = "outcome",
    .values = kOutcomes};

// In the order of the specification, 5.3 to 5.7. What is of which: steps.h.
inline constexpr auto kSteps = std::to_array<probes::Step>({
    {"chain of roots", "from the pinned root to the newest, each signed by the one before"},
    {"timestamp", "signed, no older than before, not expired"},
    {"snapshot", "as the timestamp lists it, signed, nothing in it older than before"},
    {"targets", "as the snapshot lists it, signed"},
    {"delegations", "each role as the snapshot lists it, signed by the keys of who delegates"},
    {"target files", "found, downloaded, of the length and hashes that are listed"},
});

inline constexpr std::array<probes::ThingType const*, 1> kThings{&kRole};
inline constexpr std::array<probes::SampleFamily const*, 1> kSamples{&kTargetCount};
inline constexpr probes::Declaration kDeclaration{.kind = "tuf",
                                                  .title = "TUF repositories",
                                                  .things = kThings,
                                                  .samples = kSamples,
                                                  .checks = kChecks,
                                                  .reasons = kReasons,
                                                  .steps = kSteps};

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// What a probe of a TUF repository is told.
// Thread: none (immutable once built).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/probe_spec.h"

namespace canary::tuf {

// Of each role, the validity that must be left.
struct ExpirySpec {
  static constexpr config::ExpiryThresholds days(int warning, int critical) {
    return {config::ExpiryThreshold::up_to(std::chrono::days{warning}),
            config::ExpiryThreshold::up_to(std::chrono::days{critical})};
  }
  config::ExpiryThresholds root = days(30, 7);
  config::ExpiryThresholds timestamp = days(2, 1);
  config::ExpiryThresholds snapshot = days(7, 2);
  config::ExpiryThresholds targets = days(14, 3);
  config::ExpiryThresholds delegated = days(14, 3);
  // By name of a delegated role, over `delegated`.
  std::map<std::string, config::ExpiryThresholds> roles;
  friend bool operator==(ExpirySpec const&, ExpirySpec const&) = default;
};

// Longest metadata file accepted, in bytes.
struct MetadataLimits {
  std::uint64_t root = std::uint64_t{1} << 20;
  std::uint64_t timestamp = std::uint64_t{1} << 20;
  std::uint64_t snapshot = std::uint64_t{16} << 20;
  std::uint64_t targets = std::uint64_t{64} << 20;  // delegated roles too
  int root_rotations = 256;
  int delegated_roles = 32'768;  // visited in one run
  friend bool operator==(MetadataLimits const&, MetadataLimits const&) = default;
};

// Which delegated roles a run visits. Where all targets are downloaded, all roles in either case:
// clients of these visit them.
enum class RoleVisits : std::uint8_t {
  all,
  visited,  // by clients of the targets that the run downloads; the others in turn
};

// A TUF repository, checked as a client sees it from a pinned root.
struct Spec {
  config::Url metadata_url;
  std::optional<config::Url> targets_url;  // default: "targets" beside the metadata's folder
  std::filesystem::path root;              // the pinned root.json
  config::Selection targets;
  RoleVisits roles = RoleVisits::all;
  int parallel_targets = 4;
  std::uint64_t max_target_bytes = std::uint64_t{16} << 30;
  ExpirySpec expiry;
  MetadataLimits limits;

  static constexpr std::string_view kKind = "tuf";
  static constexpr bool kFetches = true;
  static constexpr bool kRunsPrograms = false;
  std::string location() const { return metadata_url.text(); }
  std::string host() const { return metadata_url.origin(); }
  std::size_t connections() const {
    return static_cast<std::size_t>(std::max(1, parallel_targets));
  }
  bool visits_all_roles() const {
    return roles == RoleVisits::all || targets.kind == config::Selection::Kind::all;
  }
  friend bool operator==(Spec const&, Spec const&) = default;
};

void describe(config::FieldVisitor& visitor, Spec& spec);
void describe_defaults(config::FieldVisitor& visitor, Spec& spec);

}  // namespace canary::tuf

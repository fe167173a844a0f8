// SPDX-License-Identifier: Apache-2.0
// The table of rules: name, section and reason of each.
// Thread: none (pure). Source: TUF 1.0.34 §5.
#include "probes/tuf/rejection.h"

#include <array>
#include <cstddef>

namespace canary::tuf {
namespace {

// Sections of steps that every role has, by role; a delegated role is like targets.
struct Sections {
  std::string_view root, timestamp, snapshot, targets;
};

struct Row {
  Rule rule;
  std::string_view name;
  Sections sections;
  Reason reason;
};

constexpr Sections same(std::string_view section) { return {section, section, section, section}; }

constexpr Sections kDownload{"5.3.3", "5.4.1", "5.5.1", "5.6.1"};
constexpr Sections kSignatures{"5.3.4", "5.4.2", "5.5.3", "5.6.3"};
constexpr Sections kExpiry{"5.3.10", "5.4.4", "5.5.6", "5.6.5"};
constexpr Sections kHashes{"5.5.2", "5.5.2", "5.5.2", "5.6.2"};

constexpr std::array kRows{
    Row{Rule::size_limit, "size_limit", kDownload, Reason::size_limit},
    Row{Rule::json_syntax, "json_syntax", same("4.1"), Reason::parse},
    Row{Rule::json_bom, "json_bom", same("4.1"), Reason::parse},
    Row{Rule::json_utf8, "json_utf8", same("4.1"), Reason::parse},
    Row{Rule::json_depth, "json_depth", same("4.1"), Reason::size_limit},
    Row{Rule::json_duplicate_key, "json_duplicate_key", same("4.1"), Reason::parse},
    Row{Rule::json_trailing_bytes, "json_trailing_bytes", same("4.1"), Reason::parse},
    Row{Rule::number_not_integer, "number_not_integer", same("4.1"), Reason::parse},
    Row{Rule::field_missing, "field_missing", {"4.3", "4.6", "4.4", "4.5"}, Reason::parse},
    Row{Rule::field_invalid, "field_invalid", {"4.3", "4.6", "4.4", "4.5"}, Reason::parse},
    Row{Rule::wrong_type, "wrong_type", {"4.3", "4.6", "4.4", "4.5"}, Reason::parse},
    Row{Rule::spec_version, "spec_version", {"4.3", "4.6", "4.4", "4.5"}, Reason::parse},
    Row{Rule::duplicate_signature, "duplicate_signature", same("4.2.1"), Reason::parse},
    Row{Rule::other_dialect, "other_dialect", same("4.1"), Reason::parse},
    Row{Rule::budget, "budget", same("4.1"), Reason::size_limit},
    Row{Rule::signature_invalid, "signature_invalid", kSignatures, Reason::signature},
    Row{Rule::threshold, "threshold", kSignatures, Reason::threshold},
    Row{Rule::unsupported, "unsupported", kSignatures, Reason::unsupported},
    Row{Rule::root_version_gap, "root_version_gap", same("5.3.5"), Reason::rollback},
    Row{Rule::root_rotation_limit, "root_rotation_limit", same("5.3.3"), Reason::size_limit},
    Row{Rule::timestamp_rollback, "timestamp_rollback", same("5.4.3.1"), Reason::rollback},
    Row{Rule::snapshot_rollback, "snapshot_rollback", same("5.4.3.2"), Reason::rollback},
    Row{Rule::targets_rollback, "targets_rollback", same("5.5.5"), Reason::rollback},
    Row{Rule::snapshot_entry_removed, "snapshot_entry_removed", same("5.5.5"), Reason::rollback},
    Row{Rule::snapshot_mix_and_match, "snapshot_mix_and_match", same("5.5.4"), Reason::freeze},
    Row{Rule::targets_mix_and_match, "targets_mix_and_match", same("5.6.4"), Reason::freeze},
    Row{Rule::role_not_in_snapshot, "role_not_in_snapshot", same("5.6.4"), Reason::freeze},
    Row{Rule::equivocation, "equivocation", same("5.6.4"), Reason::equivocation},
    Row{Rule::length_mismatch, "length_mismatch", kHashes, Reason::hash_mismatch},
    Row{Rule::hash_mismatch, "hash_mismatch", kHashes, Reason::hash_mismatch},
    Row{Rule::hash_unsupported, "hash_unsupported", kHashes, Reason::unsupported},
    Row{Rule::expired, "expired", kExpiry, Reason::expired},
    Row{Rule::role_not_delegated, "role_not_delegated", same("5.6.7"), Reason::internal},
    Row{Rule::lookup_limit, "lookup_limit", same("5.6.7.1"), Reason::target_missing},
    Row{Rule::target_not_found, "target_not_found", same("5.7.2"), Reason::target_missing},
    Row{Rule::target_length_mismatch, "target_length_mismatch", same("5.7.3"),
        Reason::hash_mismatch},
    Row{Rule::target_hash_mismatch, "target_hash_mismatch", same("5.7.3"), Reason::hash_mismatch},
    Row{Rule::keys_rotated, "keys_rotated", same("5.3.11"), Reason::internal},
    Row{Rule::out_of_order, "out_of_order", same("5"), Reason::internal},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].rule != static_cast<Rule>(i)) return false;
  }
  return kRows.back().rule == Rule::out_of_order;
}
static_assert(in_order(), "a row per rule, in the order of the enumeration");

constexpr auto kRules = [] {
  std::array<Rule, kRows.size()> rules{};
  for (std::size_t i = 0; i < rules.size(); ++i) rules[i] = kRows[i].rule;
  return rules;
}();

Row const& row(Rule rule) { return kRows[static_cast<std::size_t>(rule)]; }

}  // namespace

std::string_view name(Rule rule) { return row(rule).name; }

std::string_view spec_section(Rule rule, std::string_view role) {
  Sections const& sections = row(rule).sections;
  if (role == "root") return sections.root;
  if (role == "timestamp") return sections.timestamp;
  if (role == "snapshot") return sections.snapshot;
  return sections.targets;
}

Reason reason(Rule rule) { return row(rule).reason; }

std::string_view name(Reason reason) {
  switch (reason) {
    case Reason::parse:
      return "parse";
    case Reason::signature:
      return "signature";
    case Reason::threshold:
      return "threshold";
    case Reason::expired:
      return "expired";
    case Reason::rollback:
      return "rollback";
    case Reason::freeze:
      return "freeze";
    case Reason::equivocation:
      return "equivocation";
    case Reason::hash_mismatch:
      return "hash_mismatch";
    case Reason::size_limit:
      return "size_limit";
    case Reason::target_missing:
      return "target_missing";
    case Reason::unsupported:
      return "unsupported";
    case Reason::internal:
      return "internal";
  }
  return "internal";
}

bool could_not_tell(Rule rule) {
  switch (rule) {
    case Rule::size_limit:
    case Rule::json_depth:
    case Rule::budget:
    case Rule::unsupported:
    case Rule::hash_unsupported:
    case Rule::keys_rotated:
    case Rule::out_of_order:
      return true;
    default:
      return false;
  }
}

std::span<Rule const> all_rules() { return kRules; }

std::string sentence(Rejection const& rejection) {
  std::string text = rejection.role;
  text.append(": ").append(name(rejection.rule)).append(" (");
  text.append(spec_section(rejection.rule, rejection.role)).append("): ");
  return text.append(rejection.detail);
}

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Why metadata or a target was refused: one closed list of rules, each named after the
// specification's step, and the `Result` that everything in this folder returns.
// Thread: none (values). Source: TUF 1.0.34 §5.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::tuf {

// The order is that of the table in rejection.cc; `name(rule)` is stable and may be stored.
enum class Rule : std::uint8_t {
  // Bytes that are no metadata at all.
  size_limit,           // longer than the role's limit
  json_syntax,          // not JSON
  json_bom,             // starts with a byte order mark
  json_utf8,            // invalid UTF-8 or a lone surrogate
  json_depth,           // nested deeper than the limit
  json_duplicate_key,   // two members of one object share a name
  json_trailing_bytes,  // something other than white space after the value
  number_not_integer,   // canonical JSON has no fractions and no exponents
  field_missing,        // a field the specification demands is absent
  field_invalid,        // a field has the wrong type or an impossible value
  wrong_type,           // `_type` is another role's
  spec_version,         // major version other than 1
  duplicate_signature,  // two signatures by one key id
  other_dialect,        // a relative of TUF that its clients don't read: DSSE, Uptane, …
  budget,               // more of something than we look at (budget.h): could not tell
  // Arbitrary software.
  signature_invalid,  // threshold missed, and a signature by an authorised key is wrong
  threshold,          // threshold missed: too few signatures by authorised keys
  unsupported,        // threshold missed, for want of keys or schemes that we can't use
  // Rollback.
  root_version_gap,        // not precisely N+1
  root_rotation_limit,     // more new roots in one walk than the limit
  timestamp_rollback,      // timestamp's version went down
  snapshot_rollback,       // timestamp lists an older snapshot than the trusted timestamp did
  targets_rollback,        // snapshot lists an older targets file than the trusted one did
  snapshot_entry_removed,  // snapshot no longer lists a targets file that it listed
  // Mix and match.
  snapshot_mix_and_match,  // snapshot's version is not the one the timestamp lists
  targets_mix_and_match,   // a targets file's version is not the one the snapshot lists
  role_not_in_snapshot,    // a targets file that the snapshot does not list
  equivocation,            // same role, same version, other content within one refresh
  length_mismatch,         // not the length that is listed
  hash_mismatch,           // not the hash that is listed
  hash_unsupported,        // hashes are listed, none of a kind that we know
  // Freeze.
  expired,  // `expires` is not after the time the refresh started
  // Delegations and targets.
  role_not_delegated,      // the delegator does not name the role
  lookup_limit,            // more roles visited than the limit before the target was found
  target_not_found,        // no role on the way lists it
  target_length_mismatch,  // a target's length is not the one that is listed
  target_hash_mismatch,    // a target's hash is not the one that is listed
  // A client's own state.
  keys_rotated,  // stored metadata is to be forgotten: its keys were rotated
  out_of_order,  // a caller's mistake: this step is not possible now
};

// What a metric may say: small and closed. Source: metrics.md, label `reason`.
enum class Reason : std::uint8_t {
  parse,
  signature,
  threshold,
  expired,
  rollback,
  freeze,
  equivocation,
  hash_mismatch,
  size_limit,
  target_missing,
  unsupported,
  internal
};

struct Rejection {
  Rule rule;
  std::string role;    // metadata role, or the target's path for target_* rules
  std::string detail;  // one sentence: what, where, expected and found
  // The two values alone, where a rule holds one against the other: "42 or later", "41".
  std::string expected{}, received{};

  friend bool operator==(Rejection const&, Rejection const&) = default;
};

template <class T>
using Result = canary::Result<T, Rejection>;

// "root_version_gap": stable, for metrics, JSON and documentation.
std::string_view name(Rule rule);

// "5.3.5": where the specification demands it. `role` decides among steps that several roles have.
std::string_view spec_section(Rule rule, std::string_view role);

// The word a metric uses for it.
Reason reason(Rule rule);
std::string_view name(Reason reason);

// Says more about us than about the repository: a limit or a lack of ours. Never "it is bad".
bool could_not_tell(Rule rule);

std::span<Rule const> all_rules();

// "timestamp: timestamp_rollback (5.4.3.1): version 41, trusted is 42".
std::string sentence(Rejection const& rejection);

}  // namespace canary::tuf

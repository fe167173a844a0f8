// SPDX-License-Identifier: Apache-2.0
// Who may say something about a target, in which order they are asked, and every role there is.
// Thread: none. Source: TUF 1.0.34 §4.5, §5.6.7; TAP 15.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "probes/tuf/trusted_metadata.h"

namespace canary::tuf {

// How much matching one search may take, in characters looked at. Patterns and names are a
// untrusted, and their cost is the product of their lengths; the largest real repositories need a
// thousandth of it.
class MatchBudget {
 public:
  static constexpr std::uint64_t kSearch = 20'000'000;
  explicit MatchBudget(std::uint64_t steps = kSearch) : left_(steps) {}
  // False once it is used up: from then on nothing matches, and what was found says nothing.
  bool take(std::uint64_t steps) {
    left_ -= std::min(left_, steps);
    return left_ > 0;
  }
  bool spent() const { return left_ == 0; }

 private:
  std::uint64_t left_;
};

// Shell pattern per segment: `*`, `?` and `[…]` never match `/`; no segment is special.
bool path_matches(std::string_view pattern, std::string_view path, MatchBudget& budget);

// Hex SHA-256 of the target's path, for path_hash_prefixes and bins.
std::string path_hash(std::string_view path);

bool delegates(DelegatedRole const& role, std::string_view path, std::string_view path_hash,
               MatchBudget& budget);

// "prefix-0a": the bin of this number, or the one that a path belongs to.
std::string bin_name(SuccinctRoles const& roles, std::uint64_t bin);
std::uint64_t bin_of(SuccinctRoles const& roles, std::string_view path_hash);

// How many roles are delegated to, and the name of one of them, bins included.
std::uint64_t count_of(Delegations const& delegations);
std::string name_at(Delegations const& delegations, std::uint64_t position);

// The delegated roles in the order of their names, to find one without going over all.
std::vector<std::uint32_t> roles_by_name(Delegations const& delegations);
// The keys and threshold by which `delegations` want `role` to be signed; nullopt where they don't
// delegate to it. `by_name` is what roles_by_name() gave.
std::optional<RoleKeys> delegated_keys(Delegations const& delegations,
                                       std::span<std::uint32_t const> by_name,
                                       std::string_view role);

// "Give me this role, as this delegator wants it": fetch it, call update_delegated_targets, and
// ask for the next step.
struct NeedRole {
  std::string role;
  std::string delegator;
  friend auto operator<=>(NeedRole const&, NeedRole const&) = default;
};

struct FoundTarget {
  std::string role;  // which role lists it
  TargetFile file;   // its views live as long as the TrustedMetadata
};

struct NoTarget {
  Rejection why;  // target_not_found, lookup_limit, budget
};

using SearchStep = std::variant<NeedRole, FoundTarget, NoTarget>;

inline constexpr std::size_t kLookupRoles = 32;

// Pre-order search for one target. Every role on the way is verified against the delegator that
// leads to it in this very search. REQUIRES: update_targets was accepted; `trusted` outlives it.
class TargetSearch {
 public:
  TargetSearch(TrustedMetadata const& trusted, std::string path,
               std::size_t max_roles = kLookupRoles);

  // NeedRole again and again until that role was accepted; the others are final.
  SearchStep next();
  std::size_t visited() const { return visited_.size(); }

 private:
  void push_delegated(std::string const& role, Delegations const& delegations);

  TrustedMetadata const& trusted_;
  std::string path_;
  std::string path_hash_;
  std::size_t max_roles_;
  MatchBudget budget_;
  std::set<std::string, std::less<>> visited_;
  std::vector<NeedRole> pending_;  // last is next
};

// Every role that can be reached, each pair of delegator and role once, for an audit. Cycles end
// where a pair repeats; a role's own delegations are followed once.
class DelegationWalk {
 public:
  // REQUIRES: update_targets was accepted; `trusted` outlives it.
  DelegationWalk(TrustedMetadata const& trusted, std::size_t max_pairs);

  // The next pair to fetch and hand to update_delegated_targets; the walk then follows the role's
  // own delegations if it was accepted. nullopt: done.
  std::optional<NeedRole> next();

  std::size_t pairs() const { return pairs_; }
  bool truncated() const { return truncated_; }  // max_pairs was reached, there is more
  // Pairs that lead back to a role on the way to them: how many, and the first of them.
  std::size_t cycles() const { return cycles_; }
  std::vector<NeedRole> const& named_cycles() const { return named_cycles_; }
  static constexpr std::size_t kCyclesNamed = 20;

 private:
  struct Level {
    std::string role;
    Delegations const* delegations;
    std::uint64_t position = 0;
  };
  void enter(std::string const& role);

  TrustedMetadata const& trusted_;
  std::size_t max_pairs_;
  std::size_t pairs_ = 0;
  bool truncated_ = false;
  std::vector<Level> levels_;
  std::optional<NeedRole> open_;  // handed out last
  std::set<std::string, std::less<>> entered_;
  std::set<std::string, std::less<>> on_the_way_;  // the roles of levels_
  std::size_t cycles_ = 0;
  std::vector<NeedRole> named_cycles_;
};

}  // namespace canary::tuf

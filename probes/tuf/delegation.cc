// SPDX-License-Identifier: Apache-2.0
// Patterns, hash prefixes and bins; the search and the walk.
// Thread: none. Source: TUF 1.0.34 §4.5, §5.6.7; TAP 15.
#include "probes/tuf/delegation.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "config/harmless.h"
#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

// Metadata is valid UTF-8; a caller's path that is not is taken bytewise.
std::string_view take_character(std::string_view& text) {
  std::string_view const character = text.substr(0, decode_utf8(text).bytes);
  text.remove_prefix(character.size());
  return character;
}

// A set "[a-z]" or "[!a-z]" at the front of `pattern`, which then loses it. nullopt: it is not
// closed, so that "[" stands for itself. UTF-8 sorts as its characters do, so bytes compare right.
std::optional<bool> take_set(std::string_view& pattern, std::string_view character) {
  std::string_view rest = pattern.substr(1);
  bool const negated = rest.starts_with('!');
  if (negated) rest.remove_prefix(1);
  bool inside = false;
  bool first = true;
  while (!rest.empty()) {
    if (rest.front() == ']' && !first) {
      pattern = rest.substr(1);
      return inside != negated;
    }
    first = false;
    std::string_view const low = take_character(rest);
    std::string_view high = low;
    if (rest.size() >= 2 && rest[0] == '-' && rest[1] != ']') {
      rest.remove_prefix(1);
      high = take_character(rest);
    }
    inside = inside || (low <= character && character <= high);
  }
  return std::nullopt;
}

// Does one element of the pattern (no `*`) take the character? Both lose what was used.
bool take_match(std::string_view& pattern, std::string_view& text) {
  std::string_view const character = take_character(text);
  if (pattern.front() == '[') {
    if (std::optional<bool> const inside = take_set(pattern, character)) return *inside;
  }
  std::string_view const wanted = take_character(pattern);
  return wanted == "?" || wanted == character;
}

// What looking at an element of the pattern costs: a set is read whole, and to the pattern's end
// where it is not closed.
std::uint64_t cost_of(std::string_view pattern) {
  if (!pattern.starts_with('[')) return 1;
  return std::min(pattern.size(), pattern.find(']', 2)) + 1;
}

// One segment; remembers only the last `*`, so time is at most the product of the lengths.
bool segment_matches(std::string_view pattern, std::string_view text, MatchBudget& budget) {
  std::optional<std::string_view> star;  // what follows the last `*`
  std::string_view star_text;            // where it was tried last
  while (budget.take(cost_of(pattern))) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star = pattern;
      star_text = text;
      continue;
    }
    if (text.empty() && pattern.empty()) return true;
    if (!text.empty() && !pattern.empty() && take_match(pattern, text)) continue;
    if (!star || star_text.empty()) return false;
    take_character(star_text);
    text = star_text;
    pattern = *star;
  }
  return false;
}

}  // namespace

bool path_matches(std::string_view pattern, std::string_view path, MatchBudget& budget) {
  while (true) {
    std::size_t const pattern_end = pattern.find('/');
    std::size_t const path_end = path.find('/');
    std::string_view const segment = pattern.substr(0, pattern_end);
    if (!segment_matches(segment, path.substr(0, path_end), budget)) return false;
    bool const pattern_ends = pattern_end == std::string_view::npos;
    if (pattern_ends != (path_end == std::string_view::npos)) return false;
    if (pattern_ends) return true;
    pattern.remove_prefix(pattern_end + 1);
    path.remove_prefix(path_end + 1);
  }
}

std::string path_hash(std::string_view path) { return sha256_hex(path); }

bool delegates(DelegatedRole const& role, std::string_view path, std::string_view path_hash,
               MatchBudget& budget) {
  auto const matches = [&](std::string_view pattern) {
    return path_matches(pattern, path, budget);
  };
  auto const begins = [&](std::string_view prefix) {
    return budget.take(1) && path_hash.starts_with(prefix);
  };
  return std::any_of(role.paths.begin(), role.paths.end(), matches) ||
         std::any_of(role.path_hash_prefixes.begin(), role.path_hash_prefixes.end(), begins);
}

std::string bin_name(SuccinctRoles const& roles, std::uint64_t bin) {
  std::size_t const width = (roles.bit_length + 3) / 4;  // hexadecimal digits of the last bin
  std::string digits(width, '0');
  for (std::size_t i = width; i > 0; --i, bin >>= 4U) digits[i - 1] = kDigits[bin & 15U];
  return std::string(roles.name_prefix).append("-").append(digits);
}

std::uint64_t count_of(Delegations const& delegations) {
  return delegations.succinct ? delegations.succinct->count() : delegations.roles.size();
}

std::string name_at(Delegations const& delegations, std::uint64_t position) {
  return delegations.succinct ? bin_name(*delegations.succinct, position)
                              : std::string(delegations.roles[position].name);
}

std::uint64_t bin_of(SuccinctRoles const& roles, std::string_view path_hash) {
  std::uint32_t first = 0;
  std::string_view const digits = path_hash.substr(0, 8);
  std::from_chars(digits.data(), digits.data() + digits.size(), first, 16);
  return std::uint64_t{first} >> (32U - roles.bit_length);
}

std::vector<std::uint32_t> roles_by_name(Delegations const& delegations) {
  std::vector<std::uint32_t> order(delegations.roles.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return delegations.roles[a].name < delegations.roles[b].name;
  });
  return order;
}

std::optional<RoleKeys> delegated_keys(Delegations const& delegations,
                                       std::span<std::uint32_t const> by_name,
                                       std::string_view role) {
  auto const at = std::lower_bound(by_name.begin(), by_name.end(), role,
                                   [&](std::uint32_t index, std::string_view wanted) {
                                     return delegations.roles[index].name < wanted;
                                   });
  if (at != by_name.end() && delegations.roles[*at].name == role)
    return delegations.roles[*at].keys;
  if (!delegations.succinct) return std::nullopt;
  SuccinctRoles const& succinct = *delegations.succinct;
  std::string_view const prefix = succinct.name_prefix;
  if (!role.starts_with(prefix) || role.size() <= prefix.size() + 1) return std::nullopt;
  std::string_view const digits = role.substr(prefix.size() + 1);
  std::uint64_t bin = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), bin, 16);
  if (bin >= succinct.count() || bin_name(succinct, bin) != role) return std::nullopt;
  return succinct.keys;
}

TargetSearch::TargetSearch(TrustedMetadata const& trusted, std::string path, std::size_t max_roles)
    : trusted_(trusted),
      path_(std::move(path)),
      path_hash_(path_hash(path_)),
      max_roles_(max_roles),
      pending_{{"targets", "root"}} {}

SearchStep TargetSearch::next() {
  while (!pending_.empty() && !budget_.spent()) {
    NeedRole current = pending_.back();
    if (visited_.contains(current.role)) {  // §5.6.7.1
      pending_.pop_back();
      continue;
    }
    if (visited_.size() > max_roles_) {
      return NoTarget{{Rule::lookup_limit, path_,
                       "not found in " + std::to_string(max_roles_) +
                           " delegated roles, and there are more to ask"}};
    }
    if (!trusted_.is_trusted(current.role, current.delegator)) return current;
    pending_.pop_back();
    visited_.insert(current.role);
    Targets const& targets = *trusted_.targets(current.role);
    if (TargetFile const* file = targets.find(path_)) return FoundTarget{current.role, *file};
    if (targets.delegations) push_delegated(current.role, *targets.delegations);
  }
  // What it did not match is not known to be absent.
  if (budget_.spent()) {
    return NoTarget{{Rule::budget, path_,
                     "the search for it was given up: matching it with the delegations' patterns "
                     "takes more than " +
                         std::to_string(MatchBudget::kSearch) + " steps"}};
  }
  return NoTarget{{Rule::target_not_found, path_,
                   "listed by none of the " + std::to_string(visited_.size()) + " roles asked"}};
}

// §5.6.7.2: the role's delegations come first, in their order; a terminating one is the last.
void TargetSearch::push_delegated(std::string const& role, Delegations const& delegations) {
  if (delegations.succinct) {
    SuccinctRoles const& succinct = *delegations.succinct;
    pending_.push_back({bin_name(succinct, bin_of(succinct, path_hash_)), role});
    return;
  }
  // Names differ within a list, and at most max_roles + 1 are visited: of more than twice as many
  // the last can't be reached.
  std::size_t const most = 2 * max_roles_ + 2;
  std::vector<NeedRole> next;
  for (DelegatedRole const& delegated : delegations.roles) {
    if (!budget_.take(1) || next.size() == most) break;
    if (!delegates(delegated, path_, path_hash_, budget_)) continue;
    next.push_back({std::string(delegated.name), role});
    if (delegated.terminating) {
      pending_.clear();
      break;
    }
  }
  pending_.insert(pending_.end(), next.rbegin(), next.rend());
}

DelegationWalk::DelegationWalk(TrustedMetadata const& trusted, std::size_t max_pairs)
    : trusted_(trusted), max_pairs_(max_pairs) {
  enter("targets");
}

void DelegationWalk::enter(std::string const& role) {
  if (!entered_.insert(role).second) return;
  Targets const* targets = trusted_.targets(role);
  if (targets == nullptr || !targets->delegations) return;
  levels_.push_back({role, &*targets->delegations, 0});
  on_the_way_.insert(role);
}

std::optional<NeedRole> DelegationWalk::next() {
  if (open_ && trusted_.is_trusted(open_->role, open_->delegator)) enter(open_->role);
  open_.reset();
  while (!levels_.empty()) {
    Level& level = levels_.back();
    Delegations const& delegations = *level.delegations;
    if (level.position == count_of(delegations)) {
      on_the_way_.erase(level.role);
      levels_.pop_back();
      continue;
    }
    if (pairs_ == max_pairs_) {
      truncated_ = true;
      return std::nullopt;
    }
    open_ = NeedRole{name_at(delegations, level.position++), level.role};
    ++pairs_;
    if (on_the_way_.contains(open_->role)) {
      ++cycles_;
      if (named_cycles_.size() < kCyclesNamed) named_cycles_.push_back(*open_);
    }
    return open_;
  }
  return std::nullopt;
}

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Thread: none.
#include "probes/tuf/known_roles.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "probes/tuf/findings.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using probes::Severity;

constexpr std::string_view kTop = "targets";

std::uint64_t listed_version(TrustedMetadata const& trusted, std::string_view role) {
  MetaFile const* const listed = trusted.expected(role);
  return listed == nullptr ? 0 : listed->version;
}

using Entry = std::pair<std::string const, KnownRole>;

bool waits_longer(Entry const* a, Entry const* b) {
  return std::pair{a->second.turn, std::string_view{a->first}} <
         std::pair{b->second.turn, std::string_view{b->first}};
}

// Of `from` the `most` that wait longest.
void choose(std::vector<Entry const*>& from, std::size_t most, std::set<std::string_view>& into) {
  std::erase_if(from, [&](Entry const* entry) { return into.contains(entry->first); });
  auto const end = from.begin() + static_cast<std::ptrdiff_t>(std::min(most, from.size()));
  std::partial_sort(from.begin(), end, from.end(), waits_longer);
  std::for_each(from.begin(), end, [&](Entry const* entry) { into.insert(entry->first); });
}

// What each role delegates to, in the order of the names.
using Delegated = std::unordered_map<std::string_view, std::vector<std::string_view>>;
template <class Roles>
Delegated delegated_by(Roles const& roles) {
  Delegated delegated;
  for (auto const& [name, role] : roles) {
    for (std::string const& delegator : role.delegators) delegated[delegator].push_back(name);
  }
  return delegated;
}

// How far from `targets` each role is.
using Depths = std::unordered_map<std::string_view, std::size_t>;
template <class Roles>
Depths depths_of(Roles const& roles) {
  Delegated delegated = delegated_by(roles);
  Depths depths{{kTop, 0}};
  std::vector<std::string_view> open{kTop};
  for (std::size_t i = 0; i < open.size(); ++i) {
    std::size_t const depth = depths.at(open[i]) + 1;
    for (std::string_view const role : delegated[open[i]]) {
      if (depths.emplace(role, depth).second) open.push_back(role);
    }
  }
  return depths;
}

// nullopt: ok.
std::optional<Finding> of_expiry(std::string const& name, RoleFacts const& facts,
                                 KnownRoles::Telling const& telling) {
  auto const thresholds = thresholds_in_force(thresholds_of(telling.expiry, name), facts.validity);
  auto const least = std::max({thresholds.warning, thresholds.critical, std::chrono::seconds{1}});
  if (facts.expires - telling.now >= least) return std::nullopt;
  return expiry_finding(name, facts.expires, telling.now, thresholds);
}

bool is_among(Finding const& finding, std::vector<Finding> const& told) {
  return std::ranges::any_of(told, [&](Finding const& each) {
    return each.check == finding.check && each.message == finding.message;
  });
}

Finding beyond_what_is_kept(std::uint64_t roles, Severity severity) {
  return {.check = std::string(kDelegations),
          .subject = std::string(kTop),
          .severity = severity,
          .reason = probes::Reason::size_limit,
          .message = tuf::count(roles, "further delegated role") +
                     " not well when last looked at; each is looked at again in its turn",
          .evidence =
              "the findings of " + std::to_string(KnownRoles::kFindingsKept) + " are kept at most"};
}

}  // namespace

bool KnownRoles::learn(TrustedMetadata const& trusted, std::set<std::string> const& loaded,
                       std::size_t most) {
  std::size_t pairs = 0;
  for (auto& [name, role] : roles_) {
    std::erase_if(role.delegators,
                  [&](std::string const& delegator) { return loaded.contains(delegator); });
    pairs += role.delegators.size();
  }
  bool all = true;
  for (std::string const& delegator : loaded) {
    Targets const* const targets = trusted.targets(delegator);
    if (targets == nullptr || !targets->delegations) continue;
    std::uint64_t const end = count_of(*targets->delegations);
    for (std::uint64_t place = 0; place < end; ++place) {
      if (pairs == most) {
        all = false;
        break;
      }
      ++pairs;
      auto const [at, fresh] = roles_.try_emplace(name_at(*targets->delegations, place));
      if (fresh) at->second.turn = run_ - 1;
      at->second.delegators.push_back(delegator);
    }
  }
  forget_unreachable();
  return all;
}

void KnownRoles::forget_unreachable() {
  Depths const depths = depths_of(roles_);
  std::erase_if(roles_, [&](Entry const& entry) {
    if (depths.contains(entry.first)) return false;
    kept_ -= entry.second.findings.size();
    return true;
  });
  // A delegator may be among them, by whom others lead to roles that stay.
  for (auto& [name, role] : roles_) {
    std::erase_if(role.delegators, [&](std::string const& delegator) {
      return delegator != kTop && !roles_.contains(delegator);
    });
  }
}

std::vector<NeedRole> KnownRoles::plan(TrustedMetadata const& trusted,
                                       std::set<NeedRole> const& visited) const {
  std::vector<Entry const*> ill;
  std::vector<Entry const*> changed;
  std::vector<Entry const*> all;
  for (Entry const& entry : roles_) {
    auto const& [name, role] = entry;
    bool const done = std::ranges::all_of(role.delegators, [&](std::string const& delegator) {
      return visited.contains({name, delegator});
    });
    if (done) continue;
    all.push_back(&entry);
    bool const expired = role.facts && role.facts->expires <= trusted.reference_time();
    if (role.again || expired || role.worst != Severity::ok) ill.push_back(&entry);
    if (role.judged == 0 || role.listed != listed_version(trusted, name)) changed.push_back(&entry);
  }
  std::size_t const share = std::max(kLeastInTurn, (roles_.size() + kRound - 1) / kRound);
  std::set<std::string_view> chosen;
  for (auto* const some : {&ill, &changed, &all}) choose(*some, share, chosen);
  // And the roles on all ways to them.
  std::vector<std::string_view> open{chosen.begin(), chosen.end()};
  while (!open.empty()) {
    std::string_view const name = open.back();
    open.pop_back();
    for (std::string const& delegator : roles_.find(name)->second.delegators) {
      if (delegator != kTop && chosen.insert(delegator).second) open.emplace_back(delegator);
    }
  }
  std::vector<NeedRole> pairs;
  for (std::string_view const name : chosen) {
    for (std::string const& delegator : roles_.find(name)->second.delegators) {
      pairs.push_back({std::string(name), delegator});
    }
  }
  Depths const depths = depths_of(roles_);
  std::ranges::sort(pairs, {}, [&](NeedRole const& pair) {
    return std::tuple{depths.at(pair.delegator), std::string_view{pair.delegator},
                      std::string_view{pair.role}};
  });
  return pairs;
}

void KnownRoles::passed(std::string const& role, bool bad) {
  auto const known = roles_.find(role);
  if (known == roles_.end()) return;
  known->second.turn = run_;
  known->second.again = bad;
}

void KnownRoles::looked(TrustedMetadata const& trusted, RoleLook look) {
  auto const known = roles_.find(look.role);
  if (known == roles_.end()) return;
  KnownRole& role = known->second;
  role.turn = run_;
  role.again = !look.told;
  if (!look.told) return;
  kept_ -= role.findings.size();
  role.judged = run_;
  role.listed = listed_version(trusted, look.role);
  role.facts = look.facts;
  role.worst = Severity::ok;
  for (Finding const& finding : look.findings) {
    role.worst = probes::worse(role.worst, finding.severity);
  }
  role.findings.clear();
  if (kept_ + look.findings.size() <= kFindingsKept) role.findings = std::move(look.findings);
  kept_ += role.findings.size();
}

KnownRoles::Retold KnownRoles::retell(TrustedMetadata const& trusted,
                                      Telling const& telling) const {
  Retold retold;
  std::map<Severity, std::uint64_t> beyond;
  std::vector<Entry const*> valid;  // their metadata is the one that is listed
  for (Entry const& entry : roles_) {
    auto const& [name, role] = entry;
    if (role.judged == run_) continue;
    auto const part = telling.partly.find(name);
    for (Finding const& finding : role.findings) {
      bool const told = part != telling.partly.end() && is_among(finding, part->second);
      if (!told) retold.findings.emplace_back(finding, 1);
    }
    if (role.worst != Severity::ok && role.findings.empty()) ++beyond[role.worst];
    bool const same = role.facts && role.listed == listed_version(trusted, name);
    if (same && part == telling.partly.end()) valid.push_back(&entry);
  }
  for (auto const& [severity, roles] : beyond) {
    retold.findings.emplace_back(beyond_what_is_kept(roles, severity), 1);
  }
  std::ranges::sort(valid, {}, [](Entry const* entry) { return entry->second.facts->expires; });
  for (Entry const* const entry : valid) {
    if (retold.facts.size() == kRetoldFacts) break;
    retold.facts.push_back(entry->first);
  }
  retell_expiries(valid, telling, retold);
  return retold;
}

void KnownRoles::retell_expiries(std::vector<Entry const*> const& valid, Telling const& telling,
                                 Retold& retold) {
  std::map<Severity, std::vector<Finding>> expiries;
  std::map<Severity, std::uint64_t> more;
  for (Entry const* const entry : valid) {
    auto const& [name, role] = *entry;
    std::optional<Finding> finding = of_expiry(name, *role.facts, telling);
    if (!finding) continue;
    auto& some = expiries[finding->severity];
    if (some.size() < kRetoldExpiries) {
      some.push_back(std::move(*finding));
    } else {
      ++more[finding->severity];
    }
  }
  for (auto& [severity, some] : expiries) {
    for (Finding& finding : some) {
      bool const last = &finding == &some.back();
      retold.findings.emplace_back(std::move(finding), last ? 1 + more[severity] : 1);
    }
  }
}

KnownRoles::Cycles KnownRoles::cycles() const {
  struct Level {
    std::string_view role;
    std::size_t next = 0;
  };
  Cycles cycles;
  Delegated delegated = delegated_by(roles_);
  std::set<std::string_view> entered{kTop};
  std::set<std::string_view> on_the_way{kTop};
  std::vector<Level> levels{{kTop}};
  while (!levels.empty()) {
    Level& level = levels.back();
    auto const& roles = delegated[level.role];
    if (level.next == roles.size()) {
      on_the_way.erase(level.role);
      levels.pop_back();
      continue;
    }
    std::string_view const role = roles[level.next++];
    if (on_the_way.contains(role)) {
      ++cycles.count;
      bool const name = cycles.named.size() < DelegationWalk::kCyclesNamed;
      if (name) cycles.named.push_back({std::string(role), std::string(level.role)});
    } else if (entered.insert(role).second) {
      on_the_way.insert(role);
      levels.push_back({role});
    }
  }
  return cycles;
}

KnownRoles::Count KnownRoles::count() const {
  Count count{.known = roles_.size()};
  for (auto const& [name, role] : roles_) {
    if (role.judged == 0) ++count.waiting;
    count.complete = count.complete && role.facts && !role.again;
  }
  return count;
}

KnownRole const* KnownRoles::find(std::string_view role) const {
  auto const known = roles_.find(role);
  return known == roles_.end() ? nullptr : &known->second;
}

}  // namespace canary::tuf

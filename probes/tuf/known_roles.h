// SPDX-License-Identifier: Apache-2.0
// What a probe that does not visit every delegated role in every run knows of all of them: who
// delegates to whom, what was seen at the last look at each, and whose turn it is.
//
//     roles.begin_run();
//     roles.learn(trusted, loaded, most);      // who delegates to whom now
//     for (pair : roles.plan(trusted, visited)) {
//       ... look at it ...
//       roles.passed(role, bad);               // all its pairs were tried
//     }
//     roles.looked(trusted, look);             // of each role, once the run is at its end
//     roles.retell(trusted, told);             // of the others
//
// Thread: none (one caller at a time; may move between threads).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/report.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/spec.h"
#include "probes/tuf/validity.h"

namespace canary::tuf {

// Of a role that was verified.
struct RoleFacts {
  Time seen{};  // when that was
  Time expires{};
  std::uint64_t size = 0;
  std::uint64_t fingerprint = 0;
  Validity validity{};
  friend bool operator==(RoleFacts const&, RoleFacts const&) = default;
};

// A look at a role by every role that delegates to it.
struct RoleLook {
  std::string role;
  bool told = true;  // false: there was no answer, or none that we could judge
  std::optional<RoleFacts> facts{};
  // Those that are not ok, but expiry, which follows from the facts, and what could not be told.
  std::vector<probes::Finding> findings{};
};

struct KnownRole {
  std::vector<std::string> delegators{};
  std::uint64_t turn = 0;    // the run in which it had its turn last; before: that heard of it
  std::uint64_t judged = 0;  // the run in which a look told of it last; 0: none so far
  bool again = false;        // the last look could not tell, or its run was cut short
  std::uint64_t listed = 0;  // the version that snapshot listed when it was judged; 0: none
  std::optional<RoleFacts> facts{};               // of that version, where it was verified
  probes::Severity worst = probes::Severity::ok;  // of the findings then
  std::vector<probes::Finding> findings{};        // empty where too many are kept already
  friend bool operator==(KnownRole const&, KnownRole const&) = default;
};

class KnownRoles {
 public:
  // Of the repository with this pinned root (the SHA-256 of its file).
  explicit KnownRoles(std::string pin) : pin_(std::move(pin)) {}

  // Each role has its turn within so many runs, and in each at least so many have.
  static constexpr std::size_t kRound = 24;
  static constexpr std::size_t kLeastInTurn = 4;
  static constexpr std::size_t kFindingsKept = 1'024;
  static constexpr std::size_t kLongestText = std::size_t{256} << 20U;  // bytes

  void begin_run() { ++run_; }
  // `loaded` are targets roles that `trusted` has: what they delegate to replaces what was known of
  // it, and roles that nobody delegates to any more are forgotten. False: there are more than
  // `most` pairs of delegator and role, of which the rest is left out.
  bool learn(TrustedMetadata const& trusted, std::set<std::string> const& loaded, std::size_t most);

  // The roles whose turn it is, by each of their delegators, and the roles on the way to them; each
  // after its delegator. `visited` are pairs that clients visit, which were tried in this run.
  // A kRound-th part of all has its turn, the longest waiting first. As many more at most of each:
  // roles that were not well or have expired; roles that are new, or that snapshot lists with
  // another version than was looked at. These come before the others.
  std::vector<NeedRole> plan(TrustedMetadata const& trusted,
                             std::set<NeedRole> const& visited) const;
  // Its turn is over, however it went. `bad`: it is looked at again in the next run, unless
  // looked() says otherwise.
  void passed(std::string const& role, bool bad);
  void looked(TrustedMetadata const& trusted, RoleLook look);

  // What is known of roles that no look in this run told of.
  struct Retold {
    // A finding, and of how many alike it is the one that is known.
    std::vector<std::pair<probes::Finding, std::uint64_t>> findings;
    std::vector<std::string> facts;  // the roles that expire first; each has facts
  };
  struct Telling {
    ExpirySpec expiry;
    Time now;
    // Roles that were looked at by some of their delegators, with what was told of them.
    std::map<std::string, std::vector<probes::Finding>> partly;
  };
  Retold retell(TrustedMetadata const& trusted, Telling const& telling) const;
  static constexpr std::size_t kRetoldExpiries = 128;  // findings, of each severity
  static constexpr std::size_t kRetoldFacts = 64;

  // Delegations that lead back to a role on the way to them: how many, and the first of them.
  struct Cycles {
    std::uint64_t count = 0;
    std::vector<NeedRole> named;
  };
  Cycles cycles() const;

  struct Count {
    std::size_t known = 0;
    std::size_t waiting = 0;  // no look has told of them so far
    bool complete = true;     // all were verified when they were looked at last
  };
  Count count() const;
  // nullptr: nobody delegates to it.
  KnownRole const* find(std::string_view role) const;
  std::string const& pin() const { return pin_; }

  // nullopt: damaged, or of another pin.
  static std::optional<KnownRoles> parse(std::string_view text, std::string const& pin);
  std::string text() const;

 private:
  using Roles = std::map<std::string, KnownRole, std::less<>>;
  // Findings of those whose validity is used up, or nearly so.
  static void retell_expiries(std::vector<Roles::value_type const*> const& valid,
                              Telling const& telling, Retold& retold);
  void forget_unreachable();

  std::string pin_;
  std::uint64_t run_ = 0;
  std::size_t kept_ = 0;  // findings
  Roles roles_;
};

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Whose turn it is, and that what is known outlives the process.
#include "probes/tuf/known_roles.h"

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "probes/tuf/declaration.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

using probes::Severity;

constexpr std::size_t kMost = 10'000;

class WhoseTurn : public testing::Test {
 protected:
  explicit WhoseTurn(int roles = 240) {
    for (int i = 0; i < roles; ++i) {
      std::string const name = "role " + std::to_string(i);
      repository_.targets.delegations.push_back(
          {.name = name, .signers = {.keys = {SigningKey::ed25519("d")}}, .paths = {name + "/*"}});
      repository_.delegated[name] = {.version = 1, .expires = kNow + kYear};
    }
  }
  TrustedMetadata trusted() const {
    auto refreshed = refresh(publish(repository_).metadata);
    EXPECT_TRUE(is_ok(refreshed));
    return std::move(refreshed).value();
  }
  // A run that finds what `judge` says; which roles it looked at.
  template <class Judge>
  std::set<std::string> run(TrustedMetadata const& trusted, Judge judge) {
    known_.begin_run();
    EXPECT_TRUE(known_.learn(trusted, {"targets"}, kMost));
    std::set<std::string> looked_at;
    for (NeedRole const& pair : known_.plan(trusted, {})) {
      looked_at.insert(pair.role);
      known_.looked(trusted, judge(pair.role));
    }
    return looked_at;
  }
  static RoleLook well(std::string role) {
    return {.role = std::move(role), .facts = RoleFacts{.seen = kNow, .expires = kNow + kYear}};
  }
  static RoleLook ill(std::string role) {
    return {.role = role,
            .findings = {{.check = std::string(kSignatures),
                          .subject = role,
                          .severity = Severity::critical,
                          .reason = probes::Reason::signature,
                          .message = "a message of \xC3\xA9 and %",
                          .expected = "1 good signature",
                          .received = "0 good signatures"}}};
  }

  Repository repository_ = a_repository(kNow);
  KnownRoles known_{"pin"};
};

TEST_F(WhoseTurn, IsEachRolesWithinARound) {
  auto const metadata = trusted();
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 1; i <= 4 * KnownRoles::kRound; ++i) {
    auto const looked_at = run(metadata, well);
    EXPECT_LE(looked_at.size(), 2 * 10U);
    for (std::string const& role : looked_at) {
      EXPECT_LE(i - last[role], KnownRoles::kRound) << role;
      last[role] = i;
    }
  }
  EXPECT_EQ(last.size(), 240U);
  EXPECT_TRUE(known_.count().complete);
}

TEST_F(WhoseTurn, ComesHoweverManyAreIll) {
  auto const metadata = trusted();
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 1; i <= 4 * KnownRoles::kRound; ++i) {
    for (std::string const& role : run(metadata, ill)) {
      EXPECT_LE(i - last[role], KnownRoles::kRound) << role;
      last[role] = i;
    }
  }
  EXPECT_EQ(last.size(), 240U);
}

TEST_F(WhoseTurn, ComesHoweverManyArePublishedAnew) {
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 1; i <= 2 * KnownRoles::kRound; ++i) {
    for (auto& [name, role] : repository_.delegated) ++role.version;
    for (std::string const& role : run(trusted(), well)) {
      EXPECT_LE(i - last[role], KnownRoles::kRound) << role;
      last[role] = i;
    }
  }
  EXPECT_EQ(last.size(), 240U);
}

TEST_F(WhoseTurn, IsOverWhereTheRunIsCutShort) {
  auto const metadata = trusted();
  known_.begin_run();
  known_.learn(metadata, {"targets"}, kMost);
  auto const first = known_.plan(metadata, {});
  for (NeedRole const& pair : first) known_.passed(pair.role, false);
  known_.begin_run();
  auto const second = known_.plan(metadata, {});
  for (NeedRole const& pair : second) {
    EXPECT_EQ(std::count(first.begin(), first.end(), pair), 0) << pair.role;
  }
  known_.passed(second[0].role, true);
  known_.begin_run();
  auto const third = known_.plan(metadata, {});
  EXPECT_EQ(std::count(third.begin(), third.end(), second[0]), 1) << "it was bad";
}

TEST_F(WhoseTurn, IsNotThatOfARoleThatClientsVisit) {
  auto const metadata = trusted();
  known_.begin_run();
  known_.learn(metadata, {"targets"}, kMost);
  auto const plan = known_.plan(metadata, {});
  auto const without = known_.plan(metadata, {plan[0]});
  EXPECT_EQ(without.size(), plan.size());
  EXPECT_EQ(std::count(without.begin(), without.end(), plan[0]), 0);
}

TEST_F(WhoseTurn, AndAllElseOutlivesTheProcess) {
  auto const metadata = trusted();
  int number = 0;
  auto const mixed = [&](std::string const& role) {
    ++number;
    if (number % 3 == 0) return ill(role);
    RoleLook look = well(role);
    look.told = number % 5 != 0;
    return look;
  };
  for (int i = 0; i < 3; ++i) run(metadata, mixed);
  std::string const text = known_.text();
  auto again = KnownRoles::parse(text, "pin");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->text(), text);
  for (auto const& [name, role] : repository_.delegated) {
    ASSERT_NE(again->find(name), nullptr);
    EXPECT_EQ(*again->find(name), *known_.find(name)) << name;
  }
  known_.begin_run();
  again->begin_run();
  EXPECT_EQ(again->plan(metadata, {}), known_.plan(metadata, {}));
}

TEST_F(WhoseTurn, IsNobodysByAFileThatIsDamagedOrOfAnotherRepository) {
  auto const metadata = trusted();
  run(metadata, ill);
  std::string const text = known_.text();
  for (std::size_t size = 0; size < text.size(); size += 1 + size / 50) {
    EXPECT_FALSE(KnownRoles::parse(text.substr(0, size), "pin")) << size;
  }
  EXPECT_FALSE(KnownRoles::parse(text + "role x", "pin"));
  auto const other = KnownRoles::parse(text, "another pin");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->count().known, 0U);
}

// Of roles that snapshot lists as they were looked at, the date is known; of others it may be
// another one by now.
TEST_F(WhoseTurn, KeepsNoExpiryWaiting) {
  auto const metadata = trusted();
  for (std::size_t i = 0; i < KnownRoles::kRound; ++i) run(metadata, well);
  known_.begin_run();
  KnownRoles::Telling const telling{.expiry = {}, .now = kNow + 2 * kYear, .partly = {}};
  auto const expired = known_.retell(metadata, telling);
  EXPECT_EQ(expired.findings.size(), KnownRoles::kRetoldExpiries);
  std::uint64_t roles = 0;
  for (auto const& [finding, times] : expired.findings) {
    EXPECT_EQ(finding.severity, Severity::critical);
    roles += times;
  }
  EXPECT_EQ(roles, 240U);
  EXPECT_EQ(expired.facts.size(), KnownRoles::kRetoldFacts);
  for (auto& [name, role] : repository_.delegated) ++role.version;
  auto const anew = known_.retell(trusted(), telling);
  EXPECT_TRUE(anew.findings.empty());
  EXPECT_TRUE(anew.facts.empty());
}

// Beyond what is kept of findings, roles are counted.
class ManyAreIll : public WhoseTurn {
 protected:
  ManyAreIll() : WhoseTurn(static_cast<int>(KnownRoles::kFindingsKept) + 76) {}
};

TEST_F(ManyAreIll, AndAllAreTold) {
  auto const metadata = trusted();
  for (std::size_t i = 0; i < KnownRoles::kRound; ++i) run(metadata, ill);
  known_.begin_run();
  auto const retold = known_.retell(metadata, {.expiry = {}, .now = kNow, .partly = {}});
  ASSERT_EQ(retold.findings.size(), KnownRoles::kFindingsKept + 1);
  auto const& rest = retold.findings.back().first;
  EXPECT_EQ(rest.severity, Severity::critical);
  EXPECT_EQ(rest.message,
            "76 further delegated roles not well when last looked at; each is looked at again in "
            "its turn");
  EXPECT_TRUE(KnownRoles::parse(known_.text(), "pin"));
}

}  // namespace
}  // namespace canary::tuf

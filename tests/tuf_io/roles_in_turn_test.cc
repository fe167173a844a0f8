// SPDX-License-Identifier: Apache-2.0
// Runs that visit only the roles that clients visit, and of the others a share in turn.
#include <algorithm>
#include <set>

#include <gmock/gmock.h>

#include "probes/tuf/known_roles.h"
#include "probes/tuf/probe.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using std::chrono::days;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int kRoles = 40;
constexpr std::size_t kInTurn = 2 * KnownRoles::kLeastInTurn;  // new ones as many besides
Signers const kSigners{.keys = {SigningKey::ed25519("roles")}};

std::string role(int number) {
  std::string const digits = std::to_string(number);
  return "r-" + std::string(digits.size() < 2 ? "0" : "") + digits;
}

// Forty roles with a file each.
Repository with_roles() {
  Repository repository = a_repository(kNow);
  for (int i = 0; i < kRoles; ++i) {
    repository.targets.delegations.push_back(
        {.name = role(i), .signers = kSigners, .paths = {role(i) + "/*"}});
    repository.delegated[role(i)] = {.version = 1,
                                     .expires = kNow + kYear,
                                     .files = {{role(i) + "/a", "content of " + role(i)}}};
  }
  return repository;
}

// One byte of the file of a role is another one.
void damage(Published& published, std::string const& name) {
  std::string& file = published.metadata.at("1." + name + ".json");
  file[file.size() / 2] ^= 1;
}

class RolesInTurn : public testing::Test {
 protected:
  RolesInTurn() { watch(role(20) + "/a"); }
  void watch(std::string target) {
    world_.spec.roles = RoleVisits::visited;
    world_.spec.targets = {config::Selection::Kind::names, {std::move(target)}};
  }
  // What a run finds, and which delegated roles it asks for.
  probes::Report run(Time now = kNow) {
    world_.server.take_requests();
    probes::Report report = world_.run(now);
    asked_.clear();
    for (std::string const& request : world_.server.take_requests()) {
      std::string_view name{request};
      if (!name.starts_with("metadata/") || !name.ends_with(".json")) continue;
      name.remove_suffix(5);
      if (name.find('.') == std::string_view::npos) continue;  // the timestamp
      name.remove_prefix(name.find('.') + 1);
      bool const top = name == "root" || name == "snapshot" || name == "targets";
      if (!top && name.find('/') == std::string_view::npos) asked_.emplace_back(name);
    }
    return report;
  }
  bool asked_for(std::string const& name) const { return std::ranges::count(asked_, name) > 0; }
  // A whole round, well.
  void look_at_all() {
    for (std::size_t i = 0; i < KnownRoles::kRound; ++i) {
      ASSERT_EQ(bad(run()), "") << i;
      if (i + 1 == KnownRoles::kRound / 2) ASSERT_TRUE(world_.run().complete) << "half are extra";
    }
  }

  Repository repository_ = with_roles();
  ProbeWorld world_{publish(repository_)};
  std::vector<std::string> asked_;
};

TEST_F(RolesInTurn, AreNoneWhereNothingIsRemembered) {
  world_.remember = false;
  probes::Report const report = run();
  EXPECT_EQ(bad(report), "");
  EXPECT_THAT(asked_, ElementsAre(role(20)));
  EXPECT_FALSE(report.complete) << "there are roles that it says nothing of";
  EXPECT_EQ(report.measurements.value(kTargetCount, kVerified), 1U);
  EXPECT_EQ(findings(report, "delegations")[0].message,
            "1 of 40 delegated roles verified in this run, those that clients of the targets "
            "visit; nothing is remembered, so no other has its turn");
}

TEST_F(RolesInTurn, AreVisitedBesideThoseThatClientsVisit) {
  probes::Report const report = run();
  EXPECT_EQ(bad(report), "");
  EXPECT_TRUE(asked_for(role(20)));
  EXPECT_EQ(asked_.size(), 1 + kInTurn);
  EXPECT_EQ(findings(report, "delegations")[0].message,
            "9 of 40 delegated roles verified in this run; each has its turn within 24 runs, 31 "
            "for the first time");
}

// Each run of these reads what the one before wrote, as a new process does.
TEST_F(RolesInTurn, AreAllLookedAtWithinARound) {
  std::set<std::string> all;
  probes::Report report;
  for (std::size_t i = 0; i < KnownRoles::kRound; ++i) {
    report = run();
    ASSERT_EQ(bad(report), "") << i;
    ASSERT_TRUE(asked_for(role(20)));
    ASSERT_LE(asked_.size(), 1 + kInTurn);
    ASSERT_EQ(report.complete, i > 3) << "39 by 8 a run, run " << i;
    all.insert(asked_.begin(), asked_.end());
  }
  EXPECT_EQ(all.size(), std::size_t{kRoles});
  EXPECT_EQ(asked_.size(), 1 + KnownRoles::kLeastInTurn) << "none is new any more";
  EXPECT_EQ(report.measurements.things.size(), 4U + kRoles) << "what is known stays known";
}

TEST_F(RolesInTurn, AreTheSameWhereTheProcessGoesOn) {
  TrustMemory::Threads const threads{world_.machine.disk, world_.machine.cpu};
  world_.memory = std::make_shared<TrustMemory>(world_.folder.path() / "state", threads,
                                                world_.machine.loop.executor());
  std::set<std::string> all;
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(bad(run()), "");
    all.insert(asked_.begin(), asked_.end());
  }
  EXPECT_EQ(all.size(), std::size_t{kRoles});
}

TEST_F(RolesInTurn, AreToldWhenTheyWereSeen) {
  run(kNow - days{1});
  probes::Report const report = run(kNow);
  std::size_t earlier = 0;
  for (probes::ThingFacts const& thing : report.measurements.things) {
    if (!thing.seen) continue;
    EXPECT_EQ(*thing.seen, kNow - days{1});
    EXPECT_FALSE(thing.below.empty()) << "who delegates to it is known as well";
    EXPECT_FALSE(asked_for(thing.name));
    ++earlier;
  }
  EXPECT_EQ(earlier, kInTurn);
  EXPECT_EQ(report.measurements.things.size(), 4U + 1 + 2 * kInTurn);
}

TEST_F(RolesInTurn, AreToldAsBadUntilTheyAreSeenWell) {
  Published const good = publish(repository_);
  Published broken = good;
  damage(broken, role(30));
  world_.serve(broken);
  std::string const told = "critical consistency " + role(30) + " (hash_mismatch)\n";
  int runs = 0;
  while (bad(run()).empty() && ++runs < 24) {
    EXPECT_FALSE(asked_for(role(30)));
  }
  ASSERT_TRUE(asked_for(role(30)));
  for (int i = 0; i < 8; ++i) {
    probes::Report const report = run();
    EXPECT_EQ(bad(report), told) << i;
    EXPECT_FALSE(report.complete);
    EXPECT_TRUE(asked_for(role(30))) << "before its turn";
    EXPECT_EQ(findings(report, "consistency", role(30))[0].url,
              world_.server.url("metadata/1." + role(30) + ".json"));
  }
  world_.serve(good);
  probes::Report const report = run();
  EXPECT_EQ(bad(report), "");
  EXPECT_TRUE(report.complete);
}

// More than are looked at again in a run.
TEST_F(RolesInTurn, AreToldAsBadWhileOthersHaveTheirTurn) {
  Published broken = publish(repository_);
  std::string told;
  for (int i = 0; i < 15; ++i) {
    damage(broken, role(i));
    told += "critical consistency " + role(i) + " (hash_mismatch)\n";
  }
  world_.serve(broken);
  for (int i = 0; i < 12; ++i) run();
  for (int i = 0; i < 8; ++i) {
    probes::Report const report = run();
    std::set<std::string> lines;
    for (auto const& finding : findings(report, "consistency")) lines.insert(finding.subject);
    EXPECT_EQ(lines.size(), 1U + 15) << "and what is ok";
    EXPECT_LE(asked_.size(), 1 + 2 * KnownRoles::kLeastInTurn) << "they are no new ones";
  }
  world_.serve(publish(repository_));
  for (int i = 0; i < 4; ++i) run();
  EXPECT_EQ(bad(run()), "");
}

TEST_F(RolesInTurn, KeepNobodyWaitingWhoseServerDoesNotAnswer) {
  for (int i = 0; i < 12; ++i) {
    world_.server.answer("metadata/1." + role(i) + ".json", 500);
  }
  std::set<std::string> all;
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_FALSE(run().complete);
    all.insert(asked_.begin(), asked_.end());
  }
  EXPECT_EQ(all.size(), std::size_t{kRoles});
  world_.serve(publish(repository_));
  for (int i = 0; i < 4; ++i) run();
  EXPECT_TRUE(run().complete);
}

// A role that is not looked at is judged by what is known of it.
TEST_F(RolesInTurn, AreToldBeforeTheyExpire) {
  repository_.delegated[role(30)].expires = kNow + days{20};
  world_.serve(publish(repository_));
  world_.spec.expiry.delegated = {config::ExpiryThreshold{days{14}},
                                  config::ExpiryThreshold{days{3}}};
  look_at_all();
  while (asked_for(role(30))) run();
  bool told_without_a_look = false;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bad(run(kNow + days{8})), "warning expiry " + role(30) + " (expiring)\n");
    told_without_a_look = told_without_a_look || !asked_for(role(30));
  }
  EXPECT_TRUE(told_without_a_look);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(bad(run(kNow + days{21})), "critical expiry " + role(30) + " (expired)\n");
    EXPECT_TRUE(asked_for(role(30))) << "it is looked at again while it has expired";
  }
  // What was signed anew is no longer what was seen.
  repository_.delegated[role(30)] = {.version = 2, .expires = kNow + kYear};
  ++repository_.snapshot.version;
  ++repository_.timestamp.version;
  world_.serve(publish(repository_));
  EXPECT_EQ(bad(run(kNow + days{21})), "");
}

TEST_F(RolesInTurn, ComeFirstWhereTheyArePublishedAnew) {
  look_at_all();
  std::string const changed = asked_.back() == role(20) ? asked_.front() : asked_.back();
  ++repository_.delegated[changed].version;
  ++repository_.snapshot.version;
  ++repository_.timestamp.version;
  Published published = publish(repository_);
  world_.serve(published);
  EXPECT_EQ(bad(run()), "");
  EXPECT_TRUE(asked_for(changed)) << "though it was looked at in the run before";
  EXPECT_EQ(bad(run()), "");
  EXPECT_FALSE(asked_for(changed));
}

TEST_F(RolesInTurn, AreForgottenOnceNobodyDelegatesToThem) {
  Published broken = publish(repository_);
  damage(broken, role(0));
  world_.serve(broken);
  ASSERT_NE(bad(run()), "");
  auto& delegations = repository_.targets.delegations;
  delegations.erase(delegations.begin());
  ++repository_.targets.version;
  // What a snapshot listed it may drop with its keys only.
  RootSpec& root = add_root(repository_);
  root.timestamp.keys = {SigningKey::ed25519("new timestamp")};
  root.snapshot.keys = {SigningKey::ed25519("new snapshot")};
  Published again = publish(repository_);
  world_.serve(again);
  probes::Report const report = run();
  EXPECT_EQ(bad(report), "");
  EXPECT_FALSE(asked_for(role(0)));
  EXPECT_THAT(findings(report, "delegations")[0].message, HasSubstr("of 39 delegated roles"));
}

TEST_F(RolesInTurn, AreAllInEachRunWhereAllTargetsAreDownloaded) {
  world_.spec.targets = {config::Selection::Kind::all, {}};
  EXPECT_EQ(bad(run()), "");
  EXPECT_EQ(asked_.size(), std::size_t{kRoles});
}

TEST_F(RolesInTurn, HaveTheirTurnWhereNoTargetIsNamed) {
  world_.spec.targets = {};
  EXPECT_EQ(bad(run()), "");
  EXPECT_EQ(asked_.size(), kInTurn);
}

TEST_F(RolesInTurn, BeginAnewWhereWhatWasKnownIsDamaged) {
  run();
  write_folder(world_.folder.path() / "state", {{"roles.known", "garbage"}});
  probes::Report const report = run();
  EXPECT_EQ(bad(report), "warning store " + (world_.folder.path() / "state/roles.known").string() +
                             " (internal)\n");
  EXPECT_EQ(asked_.size(), 1 + kInTurn);
  EXPECT_EQ(bad(run()), "");
}

TEST_F(RolesInTurn, AreBoundedByTheLimitOfDelegations) {
  world_.spec.limits.delegated_roles = 10;
  EXPECT_EQ(bad(run()), "unknown delegations targets (size_limit)\n");
  EXPECT_TRUE(asked_for(role(20))) << "what clients visit is looked at";
}

// A client's search ends at a terminating delegation.
TEST(VisitedRoles, EndWhereADelegationTerminates) {
  Repository repository = a_repository(kNow);
  repository.targets.delegations = {
      {.name = "first", .signers = kSigners, .paths = {"x/*"}, .terminating = true},
      {.name = "second", .signers = kSigners, .paths = {"x/*"}}};
  repository.delegated["second"] = {.expires = kNow + kYear, .files = {{"x/a", "a"}}};
  ProbeWorld world{publish(repository)};
  world.remember = false;
  world.spec.roles = RoleVisits::visited;
  world.spec.targets = {config::Selection::Kind::names, {"x/a"}};
  EXPECT_EQ(bad(world.run()), "critical targets x/a (target_missing)\n");
  auto const asked = world.server.take_requests();
  EXPECT_THAT(asked, Contains("metadata/1.first.json"));
  EXPECT_THAT(asked, Not(Contains("metadata/1.second.json")));
}

// "inner" delegates to "leaf".
class NestedRoles : public RolesInTurn {
 protected:
  NestedRoles() {
    repository_.targets.delegations.push_back(
        {.name = "inner", .signers = kSigners, .paths = {"n/*"}});
    repository_.delegated["inner"] = {
        .version = 1,
        .expires = kNow + kYear,
        .delegations = {{.name = "leaf", .signers = kSigners, .paths = {"n/*"}}}};
    repository_.delegated["leaf"] = {.version = 1, .expires = kNow + kYear};
    world_.serve(publish(repository_));
  }
};

TEST_F(NestedRoles, AreLookedAtByTheirDelegators) {
  int leaves = 0;
  probes::Report report;
  for (std::size_t i = 0; i < KnownRoles::kRound; ++i) {
    report = run();
    ASSERT_EQ(bad(report), "");
    if (!asked_for("leaf")) continue;
    ++leaves;
    EXPECT_TRUE(asked_for("inner"));
  }
  EXPECT_GT(leaves, 0);
  EXPECT_LT(leaves, 10);
  EXPECT_TRUE(report.complete);
  EXPECT_THAT(findings(report, "delegations")[0].message, HasSubstr("of 42 delegated roles"));
}

TEST_F(NestedRoles, StayKnownWhileTheirDelegatorIsBad) {
  Published const good = publish(repository_);
  Published broken = good;
  damage(broken, "leaf");
  world_.serve(broken);
  for (int i = 0; i < 24; ++i) run();
  std::string const leaf = "critical consistency leaf (hash_mismatch)\n";
  ASSERT_EQ(bad(run()), leaf);
  damage(broken, "inner");
  world_.serve(broken);
  EXPECT_EQ(bad(run()), "critical consistency inner (hash_mismatch)\n" + leaf);
  EXPECT_EQ(bad(run()), "critical consistency inner (hash_mismatch)\n" + leaf);
  world_.serve(good);
  run();
  EXPECT_EQ(bad(run()), "");
}

TEST_F(NestedRoles, GoInCirclesInEachRun) {
  repository_.delegated["leaf"].delegations = {
      {.name = "inner", .signers = kSigners, .paths = {"n/*"}}};
  world_.serve(publish(repository_));
  int told = 0;
  for (int i = 0; i < 20; ++i) {
    std::string const found = bad(run());
    if (told > 0 || !found.empty()) {
      ++told;
      EXPECT_EQ(found, "warning delegations inner (parse)\n") << i;
    }
  }
  EXPECT_GT(told, 5);
}

// A client comes to "shared" by one of its two delegators, whose keys are well; by the other one's
// they are not. Many others are ill, so that it is not looked at again in each run.
TEST_F(RolesInTurn, AreToldAsBadByADelegatorThatClientsDoNotAsk) {
  repository_.targets.delegations.push_back(
      {.name = "shared", .signers = kSigners, .paths = {"s/*"}});
  repository_.targets.delegations.push_back(
      {.name = "other", .signers = kSigners, .paths = {"o/*"}});
  Signers const none{.keys = {SigningKey::ed25519("o")}, .signing = std::vector<SigningKey>{}};
  repository_.delegated["other"] = {
      .version = 1,
      .expires = kNow + kYear,
      .delegations = {{.name = "shared", .signers = none, .paths = {"o/*"}}}};
  repository_.delegated["shared"] = {
      .version = 1, .expires = kNow + kYear, .files = {{"s/a", "content"}}};
  Published published = publish(repository_);
  for (int i = 0; i < 15; ++i) damage(published, role(i));
  world_.serve(published);
  watch("s/a");
  int by_clients_only = 0;
  bool found = false;
  for (int i = 0; i < 24; ++i) {
    probes::Report const report = run();
    ASSERT_TRUE(asked_for("shared"));
    auto const told = findings(report, "signatures", "shared");
    auto const bad =
        std::ranges::count(told, probes::Severity::critical, &probes::Finding::severity);
    EXPECT_LE(bad, 1) << i;
    found = found || bad > 0;
    EXPECT_EQ(bad > 0, found) << "run " << i;
    if (found && !asked_for("other")) ++by_clients_only;
  }
  EXPECT_TRUE(found);
  EXPECT_GT(by_clients_only, 3);
  // What is told anew by the way that clients go is not told by memory as well.
  damage(published, "shared");
  world_.serve(published);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(findings(run(), "consistency", "shared").size(), 1U) << i;
  }
}

}  // namespace
}  // namespace canary::tuf

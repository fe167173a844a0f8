// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/delegation.h"

#include <gmock/gmock.h>

#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

SigningKey key(std::string_view seed) { return SigningKey::ed25519(seed); }

struct PatternCase {
  std::string pattern;
  std::string path;
  bool matches;
};

TEST(PathPattern, MatchesPerSegment) {
  for (PatternCase const& test :
       std::vector<PatternCase>{{"a.txt", "a.txt", true},
                                {"a.txt", "b.txt", false},
                                {"*", "a.txt", true},
                                {"*", ".hidden", true},
                                {"*", "dir/a.txt", false},
                                {"*/*", "dir/a.txt", true},
                                {"*/*", "dir/sub/a.txt", false},
                                {"**", "dir/a.txt", false},
                                {"dir/*", "dir/a.txt", true},
                                {"dir/*", "dir/", true},
                                {"dir/*", "dir", false},
                                {"dir/", "dir/", true},
                                {"/dir/*", "dir/a", false},
                                {"*.tgz", "foo.tgz", true},
                                {"*.tgz", "foo.tgz.asc", false},
                                {"foo-version-?.tgz", "foo-version-2.tgz", true},
                                {"foo-version-?.tgz", "foo-version-alpha.tgz", false},
                                {"?", "\xC3\xA9", true},
                                {"?", "/", false},
                                {"a*b*c", "axxbyyc", true},
                                {"a*b*c", "axxbyy", false},
                                {"*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
                                {"[abc].txt", "b.txt", true},
                                {"[a-c].txt", "c.txt", true},
                                {"[a-c].txt", "d.txt", false},
                                {"[!a-c].txt", "d.txt", true},
                                {"[!a-c].txt", "a.txt", false},
                                {"[]].txt", "].txt", true},
                                {"[a-].txt", "-.txt", true},
                                {"[a", "[a", true},
                                {"[a", "a", false},
                                {"[^a]", "b", false},
                                {"[^a]", "^", true},
                                {"[\xC3\xA0-\xC3\xBF]", "\xC3\xA9", true},
                                {"a[/]b", "a/b", false},
                                {"{a,b}", "a", false},
                                {"A", "a", false},
                                {"", "", true},
                                {"", "a", false}}) {
    MatchBudget budget;
    EXPECT_EQ(path_matches(test.pattern, test.path, budget), test.matches)
        << test.pattern << " and " << test.path;
  }
}

// Each of these would be looked at for minutes.
TEST(PathPattern, IsGivenUpWhenItsBudgetIsSpent) {
  std::string const many(40'000, 'a');
  for (std::string const& pattern : {"*" + many + "b", "*" + std::string(20'000, '[')}) {
    MatchBudget budget{1'000'000};
    EXPECT_FALSE(path_matches(pattern, many, budget));
    EXPECT_TRUE(budget.spent());
    EXPECT_FALSE(path_matches("*", "x", budget)) << "nothing matches any more";
  }
}

TEST(Bins, HaveTheNamesOfTap15) {
  SuccinctRoles roles;
  roles.name_prefix = "bin";
  roles.bit_length = 3;
  EXPECT_EQ(bin_name(roles, 7), "bin-7");
  roles.bit_length = 4;
  EXPECT_EQ(bin_name(roles, 15), "bin-f");
  roles.bit_length = 5;
  EXPECT_EQ(bin_name(roles, 10), "bin-0a");
  roles.bit_length = 16;
  EXPECT_EQ(bin_name(roles, 255), "bin-00ff");
  roles.bit_length = 32;
  EXPECT_EQ(bin_name(roles, 0xFFFFFFFF), "bin-ffffffff");
}

TEST(Bins, HoldThePathsWhoseHashStartsWithTheirNumber) {
  SuccinctRoles roles;
  std::string const hash = "a5c3" + std::string(60, '0');
  roles.bit_length = 1;
  EXPECT_EQ(bin_of(roles, hash), 1U);
  roles.bit_length = 4;
  EXPECT_EQ(bin_of(roles, hash), 0xAU);
  roles.bit_length = 7;
  EXPECT_EQ(bin_of(roles, hash), 0xA5U >> 1U);
  roles.bit_length = 32;
  EXPECT_EQ(bin_of(roles, hash), 0xA5C30000U);
}

TEST(Bins, AreDelegatedByTheirExactNameOnly) {
  Delegations delegations;
  delegations.succinct = SuccinctRoles{{{"id"}, 1}, 5, "bin"};

  EXPECT_TRUE(delegated_keys(delegations, {}, "bin-00").has_value());
  EXPECT_TRUE(delegated_keys(delegations, {}, "bin-1f").has_value());
  for (std::string const name : {"bin-20", "bin-0", "bin-000", "bin-1F", "bin-", "bin", "",
                                 "bin-xx", "bin_00", "other-00", "bin--1", "bin-0x"}) {
    EXPECT_FALSE(delegated_keys(delegations, {}, name).has_value()) << name;
  }
}

// targets -> a (a/*), b (everything); a -> aa (a/x*); each with its own key.
Repository a_tree() {
  Repository repository = a_repository(kNow);
  TargetsSpec const empty{.expires = kNow + kYear};
  repository.targets.delegations = {{"a", {{key("a")}}, {"a/*"}}, {"b", {{key("b")}}, {"*/*"}}};
  repository.delegated = {{"a", empty}, {"b", empty}, {"aa", empty}};
  repository.delegated["a"].delegations = {{"aa", {{key("aa")}}, {"a/x*"}}};
  return repository;
}

struct Found {
  std::string verdict;  // the role, or the rule
  std::size_t roles;    // asked
};

Found find(Repository const& repository, std::string const& path,
           std::size_t max_roles = kLookupRoles) {
  Published const published = publish(repository);
  auto trusted = refresh(published.metadata);
  CANARY_EXPECT_OK(trusted);
  TargetSearch search(trusted.value(), path, max_roles);
  while (true) {
    SearchStep const step = search.next();
    if (auto const* found = std::get_if<FoundTarget>(&step)) return {found->role, search.visited()};
    if (auto const* none = std::get_if<NoTarget>(&step)) {
      return {std::string(name(none->why.rule)), search.visited()};
    }
    NeedRole const& need = std::get<NeedRole>(step);
    auto const result = trusted.value().update_delegated_targets(
        need.role, need.delegator, published.metadata.at(file_of(trusted.value(), need.role)));
    if (!result) return {std::string(name(result.error().rule)), search.visited()};
  }
}

TEST(TargetSearch, FindsWhatTheTopLevelRoleLists) {
  EXPECT_EQ(find(a_tree(), "hello.txt").verdict, "targets");
}

TEST(TargetSearch, PrefersTheDelegatorOverTheDelegated) {
  Repository repository = a_tree();
  repository.targets.files["a/1"] = "top";
  repository.delegated["a"].files["a/1"] = "delegated";

  Found const found = find(repository, "a/1");

  EXPECT_EQ(found.verdict, "targets");
  EXPECT_EQ(found.roles, 1U);
}

TEST(TargetSearch, GoesDeepBeforeItGoesOn) {
  Repository repository = a_tree();
  repository.delegated["aa"].files["a/x1"] = "deep";
  repository.delegated["b"].files["a/x1"] = "later";

  Found const found = find(repository, "a/x1");

  EXPECT_EQ(found.verdict, "aa");
  EXPECT_EQ(found.roles, 3U);
}

TEST(TargetSearch, GoesOnToTheNextDelegation) {
  Repository repository = a_tree();
  repository.delegated["b"].files["a/x1"] = "later";

  Found const found = find(repository, "a/x1");

  EXPECT_EQ(found.verdict, "b");
  EXPECT_EQ(found.roles, 4U);
}

TEST(TargetSearch, StopsAtATerminatingDelegation) {
  Repository repository = a_tree();
  repository.targets.delegations[0].terminating = true;
  repository.delegated["b"].files["a/x1"] = "later";

  EXPECT_EQ(find(repository, "a/x1").verdict, "target_not_found");
  repository.delegated["b"].files["c/1"] = "not below a";
  EXPECT_EQ(find(repository, "c/1").verdict, "b");
}

TEST(TargetSearch, StopsAtATerminatingDelegationFurtherDown) {
  Repository repository = a_tree();
  repository.delegated["a"].delegations[0].terminating = true;
  repository.delegated["b"].files["a/x1"] = "later";

  EXPECT_EQ(find(repository, "a/x1").verdict, "target_not_found");
}

TEST(TargetSearch, IgnoresATargetOutsideOfTheDelegatedPaths) {
  Repository repository = a_tree();
  repository.targets.delegations.pop_back();
  repository.delegated["a"].files["hello2.txt"] = "not mine";

  EXPECT_EQ(find(repository, "hello2.txt").verdict, "target_not_found");
}

TEST(TargetSearch, EndsInACycle) {
  Repository repository = a_tree();
  repository.delegated["aa"].delegations = {{"a", {{key("a")}}, {"*/*"}}};

  Found const found = find(repository, "a/x1");

  EXPECT_EQ(found.verdict, "target_not_found");
  EXPECT_EQ(found.roles, 4U);
}

TEST(TargetSearch, StopsAtTheLimitOfRoles) {
  Repository repository = a_repository(kNow);
  TargetsSpec* role = &repository.targets;
  for (int i = 0; i < 40; ++i) {
    std::string const name = "role" + std::to_string(i);
    role->delegations = {{name, {{key("chain")}}, {"*/*"}}};
    role = &repository.delegated[name];
    role->expires = kNow + kYear;
    role->files["at/" + std::to_string(i)] = "x";
  }

  EXPECT_EQ(find(repository, "at/31").verdict, "role31");
  EXPECT_EQ(find(repository, "at/32").verdict, "lookup_limit");
  EXPECT_EQ(find(repository, "at/32", 33).verdict, "role32");
}

TEST(TargetSearch, CannotTellWhereMatchingTakesTooLong) {
  Repository repository = a_repository(kNow);
  repository.targets.delegations = {{.name = "d",
                                     .signers = {{SigningKey::ed25519("d")}},
                                     .paths = {"*" + std::string(50'000, 'a') + "b"}}};
  auto trusted = refresh(publish(repository).metadata);
  CANARY_ASSERT_OK(trusted);
  TargetSearch search(trusted.value(), std::string(100'000, 'a'));
  SearchStep const step = search.next();
  ASSERT_TRUE(std::holds_alternative<NoTarget>(step));
  EXPECT_EQ(std::get<NoTarget>(step).why.rule, Rule::budget);
}

TEST(TargetSearch, FollowsHashPrefixes) {
  Repository repository = a_repository(kNow);
  std::string const hash = path_hash("some/file");
  repository.targets.delegations = {
      {"other", {{key("other")}}, {}, {std::string(1, hash[0] == '0' ? '1' : '0')}},
      {"mine", {{key("mine")}}, {}, {"zz", hash.substr(0, 3)}}};
  repository.delegated["mine"] = {.expires = kNow + kYear, .files = {{"some/file", "x"}}};

  Found const found = find(repository, "some/file");

  EXPECT_EQ(found.verdict, "mine");
  EXPECT_EQ(found.roles, 2U);
}

TEST(TargetSearch, AsksOnlyTheBinOfThePath) {
  Repository repository = a_repository(kNow);
  repository.targets.succinct = SuccinctSpec{{{key("bins")}}, 6, "bin"};
  SuccinctRoles const roles{{}, 6, "bin"};
  std::string const bin = bin_name(roles, bin_of(roles, path_hash("some/file")));
  repository.delegated[bin] = {.expires = kNow + kYear, .files = {{"some/file", "x"}}};

  Found const found = find(repository, "some/file");

  EXPECT_EQ(found.verdict, bin);
  EXPECT_EQ(found.roles, 2U);
}

TEST(TargetSearch, RejectsARoleThatItsDelegatorsKeysDidNotSign) {
  Repository repository = a_tree();
  repository.targets.delegations[0].signers.signing = {key("attacker")};

  EXPECT_EQ(find(repository, "a/1").verdict, "threshold");
}

// "shared" is what both x and y delegate to, each with a key of its own.
Repository a_diamond(std::vector<SigningKey> const& signed_by) {
  Repository repository = a_repository(kNow);
  repository.targets.delegations = {{"x", {{key("x")}}, {"x/*"}}, {"y", {{key("y")}}, {"y/*"}}};
  for (std::string const name : {"x", "y"}) {
    TargetsSpec& role = repository.delegated[name];
    role.expires = kNow + kYear;
    Signers signers{{key("shared by " + name)}};
    signers.signing = signed_by;
    role.delegations = {{"shared", signers, {"*/*"}}};
  }
  repository.delegated["shared"] = {.expires = kNow + kYear, .files = {{"x/1", "x"}, {"y/1", "y"}}};
  return repository;
}

TEST(Diamond, IsVerifiedAgainstTheDelegatorThatLeadsToItNow) {
  Files const metadata = publish(a_diamond({key("shared by x")})).metadata;
  auto trusted = refresh(metadata);
  CANARY_ASSERT_OK(trusted);

  CANARY_EXPECT_OK(find_target(trusted.value(), metadata, "x/1"));
  auto const through_y = find_target(trusted.value(), metadata, "y/1");

  ASSERT_EQ(verdict(through_y), "threshold");
  EXPECT_THAT(through_y.error().detail, ::testing::HasSubstr("y demands 1"));
  EXPECT_TRUE(trusted.value().is_trusted("shared", "x"));
  EXPECT_FALSE(trusted.value().is_trusted("shared", "y"));
}

TEST(Diamond, ThatBothKeysSignedIsFoundFromBothSides) {
  Files const metadata = publish(a_diamond({key("shared by x"), key("shared by y")})).metadata;
  auto trusted = refresh(metadata);
  CANARY_ASSERT_OK(trusted);

  CANARY_EXPECT_OK(find_target(trusted.value(), metadata, "x/1"));
  CANARY_EXPECT_OK(find_target(trusted.value(), metadata, "y/1"));
}

TEST(Diamond, WithOtherContentOfTheSameVersionIsEquivocation) {
  Repository repository = a_diamond({key("shared by x"), key("shared by y")});
  repository.list_hashes = repository.list_lengths = false;
  Repository changed = repository;
  changed.delegated["shared"].files["x/1"] = "changed";
  Files const metadata = publish(repository).metadata;
  auto trusted = refresh(metadata);
  CANARY_ASSERT_OK(trusted);
  CANARY_ASSERT_OK(find_target(trusted.value(), metadata, "x/1"));

  auto const through_y = find_target(trusted.value(), publish(changed).metadata, "y/1");

  EXPECT_EQ(verdict(through_y), "equivocation");
  EXPECT_FALSE(trusted.value().is_trusted("shared", "y"));
}

// --- the walk ---

std::vector<std::string> walked(Repository const& repository, DelegationWalk& walk,
                                TrustedMetadata& trusted) {
  Files const metadata = publish(repository).metadata;
  std::vector<std::string> pairs;
  while (auto const need = walk.next()) {
    pairs.push_back(need->delegator + ">" + need->role);
    auto const result = trusted.update_delegated_targets(need->role, need->delegator,
                                                         metadata.at(file_of(trusted, need->role)));
    if (!result) pairs.back() += "!" + std::string(name(result.error().rule));
  }
  return pairs;
}

TEST(DelegationWalk, ReachesEveryRoleFromEveryDelegator) {
  Repository const repository = a_diamond({key("shared by x")});
  auto trusted = refresh(publish(repository).metadata);
  CANARY_ASSERT_OK(trusted);
  DelegationWalk walk(trusted.value(), 100);

  auto const pairs = walked(repository, walk, trusted.value());

  EXPECT_EQ(pairs,
            (std::vector<std::string>{"targets>x", "x>shared", "targets>y", "y>shared!threshold"}));
  EXPECT_EQ(walk.cycles(), 0U);
  EXPECT_FALSE(walk.truncated());
}

TEST(DelegationWalk, EndsInACycleAndNamesIt) {
  Repository repository = a_tree();
  repository.delegated["aa"].delegations = {{"a", {{key("a")}}, {"*/*"}}};
  auto trusted = refresh(publish(repository).metadata);
  CANARY_ASSERT_OK(trusted);
  DelegationWalk walk(trusted.value(), 100);

  auto const pairs = walked(repository, walk, trusted.value());

  EXPECT_EQ(pairs, (std::vector<std::string>{"targets>a", "a>aa", "aa>a", "targets>b"}));
  EXPECT_EQ(walk.cycles(), 1U);
  EXPECT_EQ(walk.named_cycles(), (std::vector<NeedRole>{{"a", "aa"}}));
}

TEST(DelegationWalk, GoesOnAfterARejectedRole) {
  Repository repository = a_tree();
  repository.targets.delegations[0].signers.signing = {key("attacker")};
  auto trusted = refresh(publish(repository).metadata);
  CANARY_ASSERT_OK(trusted);
  DelegationWalk walk(trusted.value(), 100);

  auto const pairs = walked(repository, walk, trusted.value());

  EXPECT_EQ(pairs, (std::vector<std::string>{"targets>a!threshold", "targets>b"}));
}

TEST(DelegationWalk, RecordsEveryExpiredRole) {
  Repository repository = a_tree();
  repository.delegated["aa"].expires = kNow - kYear;
  repository.delegated["b"].expires = kNow;
  auto trusted = refresh(publish(repository).metadata, 1, kNow, recording());
  CANARY_ASSERT_OK(trusted);
  DelegationWalk walk(trusted.value(), 100);

  walked(repository, walk, trusted.value());

  EXPECT_EQ(trusted.value().expired(),
            (std::vector<ExpiredRole>{{"aa", 1, kNow - kYear}, {"b", 1, kNow}}));
}

TEST(DelegationWalk, ReachesEveryBinAndStopsAtItsLimit) {
  Repository repository = a_repository(kNow);
  repository.targets.succinct = SuccinctSpec{{{key("bins")}}, 5, "bin"};
  auto trusted = refresh(publish(repository).metadata);
  CANARY_ASSERT_OK(trusted);

  DelegationWalk all(trusted.value(), 32);
  EXPECT_EQ(walked(repository, all, trusted.value()).back(), "targets>bin-1f");
  EXPECT_EQ(all.pairs(), 32U);
  EXPECT_FALSE(all.truncated());

  DelegationWalk some(trusted.value(), 31);
  EXPECT_EQ(walked(repository, some, trusted.value()).back(), "targets>bin-1e");
  EXPECT_TRUE(some.truncated());
}

}  // namespace
}  // namespace canary::tuf

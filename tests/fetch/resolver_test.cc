// SPDX-License-Identifier: Apache-2.0
// Names to addresses, from the hosts file and from name servers of every temper.
#include "runtime/resolver.h"

#include <sys/resource.h>

#include <cerrno>

#include <gmock/gmock.h>

#include "runtime/name_files.h"
#include "runtime/silent_servers.h"
#include "tests/fetch/client_fixture.h"
#include "tests/support/dns_server.h"
#include "tests/support/sanitizer.h"

namespace canary::runtime {
namespace {

using namespace std::chrono_literals;
using support::DnsServer;
using Behaviour = DnsServer::Name::Behaviour;
using Kind = ResolveFault::Kind;
using ::testing::ElementsAre;

class ResolverTest : public ::testing::Test {
 protected:
  ResolverTest() {
    options_.servers = {dns_.address()};
    options_.hosts_file = folder_.write("hosts", "192.0.2.9 listed.test alias # comment\n");
    options_.resolv_conf = folder_.write("resolv.conf", "search corp.test\noptions timeout:1\n");
  }

  Result<Resolver::Addresses, ResolveFault> resolve(std::string const& name,
                                                    AddressFamily family = AddressFamily::any,
                                                    Clock::duration patience = 30s) {
    if (!resolver_) resolver_.emplace(files_, options_);
    return running_.block_on(resolver_->resolve(name, family, Deadline::after(patience), Trace{}));
  }
  std::vector<std::string> addresses(std::string const& name,
                                     AddressFamily family = AddressFamily::any) {
    auto const result = resolve(name, family);
    if (!result) return {result.error().message};
    std::vector<std::string> texts;
    for (auto const& address : result.value()) texts.push_back(address.to_string());
    return texts;
  }
  Kind fault_of(std::string const& name, AddressFamily family = AddressFamily::any) {
    auto const result = resolve(name, family);
    EXPECT_FALSE(result);
    return result ? Kind{-1} : result.error().kind;
  }

  fetch::TempFolder folder_;
  DnsServer dns_;
  ResolverOptions options_;
  RunningLoop running_;
  FileThreads files_;
  std::optional<Resolver> resolver_;
};

TEST_F(ResolverTest, GivesBothFamiliesSorted) {
  dns_.add("both.test", {"192.0.2.2", "192.0.2.1", "2001:db8::2", "2001:db8::1"});
  EXPECT_THAT(addresses("both.test"),
              ElementsAre("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"));
  EXPECT_THAT(addresses("BOTH.test", AddressFamily::v4), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_THAT(addresses("both.test.", AddressFamily::v6),
              ElementsAre("2001:db8::1", "2001:db8::2"));
}

TEST_F(ResolverTest, AsksNobodyForAddressesAndLocalhost) {
  EXPECT_THAT(addresses("192.0.2.7"), ElementsAre("192.0.2.7"));
  EXPECT_THAT(addresses("2001:db8::7"), ElementsAre("2001:db8::7"));
  EXPECT_THAT(addresses("localhost"), ElementsAre("::1", "127.0.0.1"));
  EXPECT_THAT(addresses("a.localhost", AddressFamily::v4), ElementsAre("127.0.0.1"));
  EXPECT_EQ(fault_of("192.0.2.7", AddressFamily::v6), Kind::no_address);
  EXPECT_EQ(dns_.queries(), 0);
}

TEST_F(ResolverTest, LooksIntoTheHostsFileFirst) {
  dns_.add("listed.test", {"192.0.2.1"});
  EXPECT_THAT(addresses("Alias"), ElementsAre("192.0.2.9"));
  EXPECT_THAT(addresses("listed.test"), ElementsAre("192.0.2.9"));
  EXPECT_EQ(dns_.queries(), 0);
}

TEST_F(ResolverTest, TriesTheSearchListForShortNames) {
  dns_.add("short.corp.test", {"192.0.2.3"});
  EXPECT_THAT(addresses("short"), ElementsAre("192.0.2.3"));
}

TEST_F(ResolverTest, TellsWhyThereIsNoAddress) {
  dns_.add("empty.test", std::vector<std::string>{});
  dns_.add("broken.test", {Behaviour::server_failure});
  EXPECT_EQ(fault_of("missing.test"), Kind::no_such_name);
  EXPECT_EQ(fault_of("empty.test"), Kind::no_address);
  EXPECT_EQ(fault_of("broken.test"), Kind::server);
}

TEST_F(ResolverTest, EndsAtItsDeadlineWhenNobodyAnswers) {
  dns_.add("silent.test", {Behaviour::silent});
  auto const result = resolve("silent.test", AddressFamily::any, 60ms);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, Kind::timeout);
}

TEST_F(ResolverTest, ASilentServerDoesNotDelayOtherNames) {
  dns_.add("silent.test", {Behaviour::silent});
  dns_.add("good.test", {"192.0.2.1"});
  EXPECT_FALSE(resolve("silent.test", AddressFamily::any, 20ms));
  EXPECT_THAT(addresses("good.test"), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, DoesNotWaitLongForAServerThatIgnoresAaaa) {
  dns_.add("half.test", {Behaviour::answer, {"192.0.2.1"}, true});
  EXPECT_THAT(addresses("half.test"), ElementsAre("192.0.2.1"));
}

// Were the second kind waited for, its address would be there, too.
TEST_F(ResolverTest, DoesNotWaitForASlowAaaaWhereAnAIsThere) {
  dns_.add("slow.test", {.behaviour = Behaviour::answer,
                         .addresses = {"192.0.2.1", "2001:db8::1"},
                         .aaaa_comes_after = 3s});
  EXPECT_THAT(addresses("slow.test"), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, GoesToTheNextServerWhereOneFailsForAAndIsSilentForAaaa) {
  DnsServer other;
  dns_.add("half.test", {.behaviour = Behaviour::answer,
                         .addresses = {},
                         .silent_for_aaaa = true,
                         .fails_for_a = true});
  other.add("half.test", {"192.0.2.1"});
  options_.servers.push_back(other.address());
  options_.resolv_conf = folder_.write("patient.conf", "options timeout:30\n");
  auto const result = resolve("half.test", AddressFamily::any, 20s);
  ASSERT_TRUE(result) << result.error().message;
}

TEST_F(ResolverTest, ASilentServerLeavesTimeForTheOneBehindItWhateverResolvConfSays) {
  DnsServer other;
  dns_.add("name.test", {Behaviour::silent});
  other.add("name.test", {"192.0.2.1"});
  options_.servers.push_back(other.address());
  options_.resolv_conf = folder_.write("patient.conf", "options timeout:30\n");
  auto const result = resolve("name.test", AddressFamily::any, 6s);
  ASSERT_TRUE(result) << result.error().message;
}

TEST_F(ResolverTest, AServerThatWasSilentAMomentAgoIsAskedLast) {
  DnsServer other;
  for (auto const* name : {"one.test", "two.test"}) {
    dns_.add(name, {Behaviour::silent});
    other.add(name, {"192.0.2.1"});
  }
  options_.servers.push_back(other.address());
  ASSERT_THAT(addresses("one.test"), ElementsAre("192.0.2.1"));
  auto const asked_before = dns_.queries();
  ASSERT_GT(asked_before, 0);
  EXPECT_THAT(addresses("two.test"), ElementsAre("192.0.2.1"));
  EXPECT_EQ(dns_.queries(), asked_before);
}

TEST(SilentServers, AreAskedInTheirOldOrderAgainAfterAMinute) {
  SilentServers silent;
  auto const now = Clock::now();
  silent.add("a", now);
  EXPECT_THAT(silent.last({"a", "b", "c"}, now), ElementsAre("b", "c", "a"));
  silent.add("b", now + 10s);
  silent.add("c", now + 10s);
  EXPECT_THAT(silent.last({"a", "b", "c"}, now + 10s), ElementsAre("a", "b", "c"));
  EXPECT_THAT(silent.last({"a", "b", "c"}, now + 60s), ElementsAre("a", "b", "c"));
  EXPECT_THAT(silent.last({"c", "a"}, now + 60s), ElementsAre("a", "c"));
}

TEST_F(ResolverTest, SaysWhatOurOwnSideLacksWhereItCannotEvenAsk) {
  if (support::kUndefinedBehaviorSanitizer) GTEST_SKIP() << "UBSan itself needs descriptors";
  EXPECT_EQ(fault_of("missing.test"), Kind::no_such_name);  // the files are read by now
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_NOFILE, &none);
  auto const result = resolve("missing.test");
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().own_error, EMFILE);
}

TEST_F(ResolverTest, GoesToTcpForTruncatedAnswers) {
  dns_.add("large.test", {Behaviour::truncated_over_udp, {"192.0.2.1", "2001:db8::1"}});
  EXPECT_THAT(addresses("large.test"), ElementsAre("2001:db8::1", "192.0.2.1"));
  EXPECT_EQ(dns_.queries_over_tcp(), 2);
}

TEST_F(ResolverTest, GoesToTheNextServerWhenOneFails) {
  DnsServer other;
  dns_.add("moved.test", {Behaviour::server_failure});
  other.add("moved.test", {"192.0.2.1"});
  options_.servers.push_back(other.address());
  EXPECT_THAT(addresses("moved.test"), ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, SaysThatNoServerCanBeReached) {
  {
    DnsServer gone;
    options_.servers = {gone.address()};
  }
  // Whether the refusal is seen depends on when the kernel tells of it.
  EXPECT_THAT(fault_of("any.test"), ::testing::AnyOf(Kind::unreachable, Kind::timeout));
}

TEST_F(ResolverTest, ReadsTheHostsFileAgainWhenItChanges) {
  EXPECT_EQ(fault_of("later.test"), Kind::no_such_name);
  auto const fresh = folder_.write("fresh", "192.0.2.5 later.test\n");
  std::filesystem::rename(fresh, options_.hosts_file);
  // Looked at once a second.
  auto const until = Clock::now() + 20s;
  while (!resolve("later.test") && Clock::now() < until) {
  }
  EXPECT_THAT(addresses("later.test"), ElementsAre("192.0.2.5"));
}

TEST(NameFiles, ReadsResolvConf) {
  auto const read = parse_resolv_conf(
      "# comment\nnameserver 192.0.2.1\n\tnameserver 2001:db8::1 ; second\nnameserver junk\n"
      "search a.test b.test\noptions ndots:2 timeout:3 attempts:2 rotate\n");
  EXPECT_THAT(read.servers, ElementsAre("192.0.2.1:53", "[2001:db8::1]:53"));
  EXPECT_THAT(read.search, ElementsAre("a.test", "b.test"));
  EXPECT_EQ(read.ndots, 2);
  EXPECT_EQ(read.timeout, 3s);
  EXPECT_EQ(read.tries, 2);
  EXPECT_THAT(parse_resolv_conf("").servers, ElementsAre("127.0.0.1:53"));
}

TEST(NameFiles, ReadsHosts) {
  auto const hosts = parse_hosts("127.0.0.1 localhost\n::1 LocalHost ip6\nnonsense a\n\n# x y\n");
  ASSERT_EQ(hosts.size(), 2U);
  EXPECT_EQ(hosts.at("localhost").size(), 2U);
  EXPECT_EQ(hosts.at("ip6").front().to_string(), "::1");
}

}  // namespace
}  // namespace canary::runtime

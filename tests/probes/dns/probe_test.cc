// SPDX-License-Identifier: Apache-2.0
// The probe against name servers that answer, lie, and are silent; and against unbound.
#include "probes/dns/probe.h"

#include <any>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/dns/declaration.h"
#include "probes/fetch/services.h"
#include "probes/kind.h"
#include "runtime/block_on.h"
#include "tests/probes/dns/wire.h"
#include "tests/probes/probe_fixture.h"
#include "tests/support/child_process.h"
#include "tests/support/dns_server.h"
#include "tests/support/temporary_folder.h"

namespace canary::dns {
namespace {

using namespace std::chrono_literals;
using probes::Reason;
using probes::Severity;
using support::DnsServer;
using ::testing::HasSubstr;

class DnsProbe : public probes::ProbeFixture<Spec> {
 protected:
  Spec about(std::string name, TypeName type = TypeName::a) {
    Spec spec{.name = std::move(name), .type = type};
    spec.servers = {server_.address()};
    spec.query_timeout = 10s;
    return spec;
  }
  static void answer(DnsServer& server, std::string const& name, std::string record,
                     std::size_t flags = 0x8180) {
    DnsServer::Name behaviour;
    behaviour.raw = [record = std::move(record), flags](std::string const& query, bool) {
      return wire_answer(query, {record}, flags);
    };
    server.add(name, std::move(behaviour));
  }

  DnsServer server_;
};

TEST_F(DnsProbe, TakesTheExpectedValuesOfANamedServer) {
  server_.add("www.test", {"192.0.2.1", "192.0.2.2", "2001:db8::1"});
  Spec spec = about("www.test.");
  spec.values = {"192.0.2.2", "192.0.2.1"};
  auto const report = run(spec);
  EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.measurements.value(kRecords, server_.address()), 2);
  EXPECT_EQ(report.measurements.value(kTtl, server_.address()), 60);
  spec.values = {"192.0.2.3"};
  EXPECT_EQ(bad(run(spec)).severity, Severity::critical);
  spec.type = TypeName::aaaa;
  spec.values = {"2001:DB8::1"};
  EXPECT_EQ(run(spec).severity(), Severity::ok);
}

TEST_F(DnsProbe, GoesOverTcpWhereAnAnswerIsCutOrItIsToldTo) {
  server_.add("long.test", {DnsServer::Name::Behaviour::truncated_over_udp, {"192.0.2.1"}});
  Spec spec = about("long.test");
  EXPECT_EQ(run(spec).severity(), Severity::ok);
  EXPECT_EQ(server_.queries_over_tcp(), 1);
  server_.add("www.test", {"192.0.2.1"});
  spec = about("www.test");
  spec.transport = Transport::tcp;
  EXPECT_EQ(run(spec).severity(), Severity::ok);
  EXPECT_EQ(server_.queries_over_tcp(), 2);
}

TEST_F(DnsProbe, TakesACodeForAnAnswer) {
  auto const none = bad(run(about("none.test")));
  EXPECT_EQ(none.severity, Severity::critical);
  EXPECT_EQ(none.reason.word(), "rcode");
  server_.add("broken.test", {DnsServer::Name::Behaviour::server_failure});
  Spec spec = about("broken.test");
  EXPECT_THAT(bad(run(spec)).message.text(), HasSubstr("SERVFAIL"));
  spec.rcode = Expected::servfail;
  EXPECT_EQ(run(spec).severity(), Severity::ok);
}

TEST_F(DnsProbe, CannotTellWhereTheServerIsSilent) {
  server_.add("www.test", {"192.0.2.1"});
  server_.add("silent.test", {DnsServer::Name::Behaviour::silent});
  Spec spec = about("silent.test");
  spec.query_timeout = 300ms;
  auto const report = run(spec);
  EXPECT_EQ(bad(report).check.text(), "reachable");
  EXPECT_EQ(bad(report).severity, Severity::unknown);
  EXPECT_EQ(bad(report).reason, Reason::timeout);
  EXPECT_FALSE(report.complete);
}

TEST_F(DnsProbe, CannotTellWhereNoServerListens) {
  Spec spec = about("www.test");
  {
    DnsServer const gone;
    spec.servers = {gone.address()};
  }
  spec.query_timeout = 5s;
  EXPECT_EQ(bad(run(spec)).check.text(), "reachable");
  EXPECT_EQ(bad(run(spec)).severity, Severity::unknown);
}

TEST_F(DnsProbe, CannotTellWhereTheServersOwnNameLeadsNowhere) {
  Spec spec = about("www.test");
  spec.servers = {"no-such-server.invalid"};
  spec.resolve_timeout = 500ms;
  auto const finding = bad(run(spec));
  EXPECT_EQ(finding.severity, Severity::unknown);
  EXPECT_EQ(finding.reason, Reason::dns);
}

TEST_F(DnsProbe, ComparesTheSerialsOfItsServersAndKeepsSinceWhenTheyDiffer) {
  DnsServer other;
  answer(server_, "zone.test", wire_record(kAsked, 6, wire_soa(7)));
  answer(other, "zone.test", wire_record(kAsked, 6, wire_soa(8)));
  Spec spec = about("zone.test", TypeName::soa);
  spec.servers.push_back(other.address());
  spec.serial_grace = 10min;
  auto const first = run(spec);
  EXPECT_EQ(bad(first).check.text(), "serials");
  EXPECT_EQ(bad(first).severity, Severity::warning);
  EXPECT_EQ(first.measurements.value(kSerial, other.address()), 8);
  now_ += 11min;
  EXPECT_EQ(bad(run(spec)).severity, Severity::critical);
  answer(server_, "zone.test", wire_record(kAsked, 6, wire_soa(8)));
  EXPECT_EQ(run(spec).severity(), Severity::ok);
  answer(server_, "zone.test", wire_record(kAsked, 6, wire_soa(9)));
  EXPECT_EQ(bad(run(spec)).severity, Severity::warning) << "a new change, a new grace";
}

TEST_F(DnsProbe, OfHostileAnswersIsBadOrCannotTell) {
  struct Case {
    char const* name;
    std::function<std::optional<std::string>(std::string const&, bool)> raw;
  };
  std::string const record = wire_record(kAsked, 1, "abcd");
  for (auto const &each : std::vector<Case>{
           {"nothing", [](auto const&, bool) { return std::string{}; }},
           {"only_a_header", [](auto const& query, bool) { return query.substr(0, 12); }},
           {"the_query_itself", [](auto const& query, bool) { return query; }},
           {"another_id",
            [&](auto const& query, bool) {
              auto bytes = wire_answer(query, {record});
              bytes[0] = static_cast<char>(bytes[0] ^ 1);
              return bytes;
            }},
           {"another_question",
            [&](auto const& query, bool) {
              auto bytes = wire_answer(query, {record});
              bytes[13] = 'x';
              return bytes;
            }},
           {"a_pointer_to_itself",
            [](auto const& query, bool) {
              auto const here = 12 + question_of(query).size();
              return wire_answer(query, {wire_record(two(0xc000 | here), 1, "abcd")});
            }},
           {"an_alias_to_itself",
            [](auto const& query, bool) {
              return wire_answer(query, {wire_record(kAsked, 5, kAsked)});
            }},
           {"a_cut_record",
            [&](auto const& query, bool) { return wire_answer(query, {record.substr(0, 9)}); }},
           {"an_address_of_three_bytes",
            [](auto const& query, bool) {
              return wire_answer(query, {wire_record(kAsked, 1, "abc")});
            }},
           {"sixty_thousand_records",
            [&](auto const& query, bool) {
              auto bytes = wire_answer(query, {record});
              return bytes.replace(6, 2, "\xff\xff");
            }},
           {"cut_over_tcp_too",
            [](auto const& query, bool) { return wire_answer(query, {}, 0x8380); }}}) {
    DnsServer::Name behaviour;
    behaviour.raw = each.raw;
    server_.add("hostile.test", std::move(behaviour));
    Spec spec = about("hostile.test");
    spec.query_timeout = 300ms;
    auto const report = run(spec);
    EXPECT_GE(bad(report).severity, Severity::critical) << each.name;
    EXPECT_NE(bad(report).reason, Reason::internal) << each.name;
  }
}

// Debian's unbound, with a zone of its own.
TEST_F(DnsProbe, UnderstandsUnbound) {
  if (!std::filesystem::exists("/usr/sbin/unbound")) GTEST_SKIP() << "unbound is not installed";
  support::TemporaryFolder const folder;
  std::uint16_t port = 0;
  {
    DnsServer const gone;  // its port is free, for UDP and TCP
    port = static_cast<std::uint16_t>(std::stoi(gone.address().substr(10)));
  }
  std::ofstream{folder.path() / "unbound.conf"}
      << "server:\n  interface: 127.0.0.1@" << port
      << "\n  do-daemonize: no\n  username: \"\"\n  chroot: \"\"\n  use-syslog: no\n"
         "  pidfile: \"\"\n  module-config: \"iterator\"\n"
         "  local-zone: \"example.\" static\n"
         "  local-data: \"example. 300 SOA ns.example. root.example. 2026112601 1 2 3 4\"\n"
         "  local-data: \"www.example. 300 A 192.0.2.1\"\n"
         "  local-data: \"www.example. 300 AAAA 2001:db8::1\"\n"
         "  local-data: \"alias.example. 300 CNAME www.example.\"\n"
         "  local-data: 'example. 300 CAA 0 issue \"ca.example\"'\n"
         "  local-data: 'example. 300 TXT \"v=spf1\" \" -all\"'\n"
         "  local-data: \"example. 300 MX 10 mail.example.\"\n"
         "remote-control:\n  control-enable: no\n";
  support::ChildProcess const unbound{
      {"/usr/sbin/unbound", "-d", "-c", (folder.path() / "unbound.conf").string()}};
  auto const expect = [&](std::string name, TypeName type, std::string value) {
    Spec spec = about(std::move(name), type);
    spec.servers = {"127.0.0.1:" + std::to_string(port)};
    spec.values = {std::move(value)};
    EXPECT_TRUE(support::eventually([&] { return run(spec).complete; }));
    auto const report = run(spec);
    EXPECT_EQ(report.severity(), Severity::ok) << bad(report).message.text();
  };
  expect("www.example", TypeName::a, "192.0.2.1");
  expect("www.example", TypeName::aaaa, "2001:db8::1");
  expect("alias.example", TypeName::cname, "www.example.");
  expect("example", TypeName::soa, "ns.example. root.example. 2026112601 1 2 3 4");
  expect("example", TypeName::caa, "0 issue \"ca.example\"");
  expect("example", TypeName::txt, "v=spf1 -all");
  expect("example", TypeName::mx, "10 mail.example.");
  Spec none = about("none.example");
  none.servers = {"127.0.0.1:" + std::to_string(port)};
  none.rcode = Expected::nxdomain;
  EXPECT_EQ(run(none).severity(), Severity::ok);
}

}  // namespace
}  // namespace canary::dns

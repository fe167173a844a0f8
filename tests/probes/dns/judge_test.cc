// SPDX-License-Identifier: Apache-2.0
#include "probes/dns/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::dns {
namespace {

using namespace std::chrono_literals;
using probes::Severity;
using ::testing::HasSubstr;

Spec a_spec() {
  Spec spec{.name = "www.example"};
  spec.servers = {"192.0.2.53"};
  return spec;
}
Message with(std::vector<std::string> const& values) {
  Message message;
  for (auto const& value : values) message.records.push_back({60, value, 0});
  return message;
}
// The last finding: of values, where there is one.
probes::Finding last(Spec const& spec, Message message) {
  return judge(spec, "s", std::move(message)).back();
}

TEST(DnsJudge, WantsARecordWhereNoValueIsExpected) {
  EXPECT_EQ(last(a_spec(), with({"192.0.2.1"})).severity, Severity::ok);
  EXPECT_EQ(last(a_spec(), with({})).severity, Severity::critical);
}

TEST(DnsJudge, WantsExactlyTheValuesOrThemAmongOthers) {
  Spec spec = a_spec();
  spec.values = {"B.example", "a.example."};
  EXPECT_EQ(last(spec, with({"a.example.", "b.example."})).severity, Severity::ok);
  EXPECT_EQ(last(spec, with({"a.example."})).severity, Severity::critical);
  auto const more = last(spec, with({"a.example.", "b.example.", "c.example."}));
  EXPECT_EQ(more.severity, Severity::critical);
  EXPECT_THAT(more.message.text(),
              HasSubstr("a.example., b.example., c.example., expected exactly B.example"));
  spec.match = Match::includes;
  EXPECT_EQ(last(spec, with({"a.example.", "b.example.", "c.example."})).severity, Severity::ok);
  EXPECT_EQ(last(spec, with({"c.example."})).severity, Severity::critical);
}

TEST(DnsJudge, TakesACodeForAnAnswer) {
  Message none;
  none.rcode = 3;
  auto const found = judge(a_spec(), "s", none);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].severity, Severity::critical);
  EXPECT_EQ(found[0].message.text(), "the server answers NXDOMAIN, expected NOERROR");
  Spec spec = a_spec();
  spec.rcode = Expected::nxdomain;
  EXPECT_EQ(last(spec, none).severity, Severity::ok);
}

TEST(DnsJudge, WantsTheServersWordForDnssec) {
  Spec spec = a_spec();
  spec.authenticated = true;
  EXPECT_EQ(last(spec, with({"192.0.2.1"})).check.text(), "dnssec");
  EXPECT_EQ(last(spec, with({"192.0.2.1"})).severity, Severity::critical);
  auto verified = with({"192.0.2.1"});
  verified.authenticated = true;
  EXPECT_EQ(last(spec, verified).severity, Severity::ok);
}

TEST(DnsJudge, OfAnAnswerThatCannotBeReadIsBad) {
  EXPECT_EQ(judge(a_spec(), "s", std::string{"it is cut"}).at(0).reason, probes::Reason::parse);
}

TEST(DnsJudge, GivesSerialsTimeToAgree) {
  Spec spec = a_spec();
  spec.serial_grace = 10min;
  EXPECT_EQ(judge_serials(spec, {{"a", 7}, {"b", 7}}, 0s).severity, Severity::ok);
  auto const early = judge_serials(spec, {{"a", 7}, {"b", 8}}, 599s);
  EXPECT_EQ(early.severity, Severity::warning);
  EXPECT_THAT(early.message.text(), HasSubstr("a has 7, b has 8"));
  EXPECT_EQ(judge_serials(spec, {{"a", 7}, {"b", 8}}, 600s).severity, Severity::critical);
}

TEST(DnsServerName, MayHaveAPort) {
  auto const expect = [](char const* text, char const* host, std::uint16_t port) {
    auto const server = parse_server(text);
    ASSERT_TRUE(server) << text;
    EXPECT_EQ(server->host, host);
    EXPECT_EQ(server->port, port);
  };
  expect("192.0.2.1", "192.0.2.1", 53);
  expect("192.0.2.1:5353", "192.0.2.1", 5353);
  expect("ns.example", "ns.example", 53);
  expect("2001:db8::1", "2001:db8::1", 53);
  expect("[2001:db8::1]:5353", "2001:db8::1", 5353);
  for (auto const* text : {"", "a b", "host:99999", "host/x", "host:"}) {
    EXPECT_FALSE(parse_server(text)) << text;
  }
}

}  // namespace
}  // namespace canary::dns

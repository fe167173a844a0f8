// SPDX-License-Identifier: Apache-2.0
#include "probes/dns/message.h"

#include <algorithm>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probes/dns/wire.h"

namespace canary::dns {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Question const kQuestion{"www.example", Type::a, true};

std::string query_of(Question const& question) { return to_bytes(question, 7); }

std::vector<std::string> values(Message const& message) {
  std::vector<std::string> all;
  for (auto const& each : message.records) all.push_back(each.value);
  return all;
}

auto answered(Question const& question, std::vector<std::string> const& records,
              std::size_t flags = 0x8180) {
  return parse(wire_answer(query_of(question), records, flags), question);
}

TEST(DnsMessage, AsksWithTheFlagsAndTheNameOfTheQuestion) {
  auto const bytes = query_of(kQuestion);
  EXPECT_EQ(bytes.substr(0, 4), std::string("\0\7\1\x20", 4));
  EXPECT_EQ(question_of(bytes), wire_name("www.example") + two(1) + two(1));
  EXPECT_EQ(query_of({"", Type::ns, false})[2], 0);
}

TEST(DnsMessage, HasTheRecordsOfEachType) {
  struct Case {
    Type type;
    std::string data, value;
  };
  for (auto const& [type, data, value] :
       {Case{Type::a, std::string("\xc0\0\2\1", 4), "192.0.2.1"},
        Case{Type::ns, wire_name("NS.Example"), "ns.example."},
        Case{Type::mx, two(10) + wire_name("mail.example"), "10 mail.example."},
        Case{Type::txt, std::string("\2ab\1c", 5), "abc"},
        Case{Type::soa, wire_soa(4'000'000'000), "ns.example. root.example. 4000000000 1 2 3 4"},
        Case{Type::caa, std::string("\0\5issue", 7) + "ca.example", "0 issue \"ca.example\""},
        Case{Type::aaaa, std::string("\x20\1\xd\xb8", 4) + std::string(11, 0) + "\1",
             "2001:db8::1"},
        Case{Type::cname, wire_name("other.example"), "other.example."}}) {
    if (value.empty()) continue;
    Question const question{"www.example", type, true};
    auto const message = answered(question, {wire_record(kAsked, static_cast<int>(type), data)});
    ASSERT_TRUE(message) << message.error();
    EXPECT_THAT(values(message.value()), ElementsAre(value));
    EXPECT_EQ(message.value().records[0].ttl, 60U);
  }
}

TEST(DnsMessage, HasItsFlagsAndItsCode) {
  auto const message = answered(kQuestion, {}, 0x8000 | 0x0400 | 0x0200 | 0x0020 | 3);
  ASSERT_TRUE(message);
  EXPECT_EQ(message.value().rcode, 3);
  EXPECT_TRUE(message.value().authoritative && message.value().truncated &&
              message.value().authenticated);
  EXPECT_EQ(rcode_text(3), "NXDOMAIN");
  EXPECT_EQ(rcode_text(11), "RCODE 11");
}

TEST(DnsMessage, FollowsAliasesWhateverTheirOrder) {
  std::string const address("\xc0\x00\x02\x05", 4);
  auto const message = answered(
      kQuestion, {wire_record(wire_name("b.example"), 1, address),
                  wire_record(wire_name("a.example"), 5, wire_name("b.example")),
                  wire_record(kAsked, 5, wire_name("A.example")),
                  wire_record(wire_name("untrusted.example"), 1, std::string("\1\1\1\1", 4))});
  ASSERT_TRUE(message) << message.error();
  EXPECT_THAT(values(message.value()), ElementsAre("192.0.2.5"));
  EXPECT_THAT(message.value().aliases, ElementsAre("a.example.", "b.example."));
}

TEST(DnsMessage, RefusesWhatIsNoAnswerToItsQuestion) {
  auto const good = wire_answer(query_of(kQuestion), {});
  EXPECT_THAT(parse("", kQuestion).error(), HasSubstr("no answer"));
  EXPECT_THAT(parse(query_of(kQuestion), kQuestion).error(), HasSubstr("no answer"));
  EXPECT_THAT(parse(good, {"other.example", Type::a, true}).error(), HasSubstr("another question"));
  EXPECT_THAT(parse(good, {"www.example", Type::txt, true}).error(), HasSubstr("another question"));
}

TEST(DnsMessage, RefusesRecordsThatDoNotFit) {
  EXPECT_FALSE(answered(kQuestion, {wire_record(kAsked, 1, "abc")}));
  EXPECT_FALSE(answered(kQuestion, {wire_record(kAsked, 1, "abcde")}));
  EXPECT_FALSE(answered({"www.example", Type::txt, true}, {wire_record(kAsked, 16, "\5abc")}));
  auto cut = wire_answer(query_of(kQuestion), {wire_record(kAsked, 1, "abcd")});
  cut.pop_back();
  EXPECT_THAT(parse(cut, kQuestion).error(), HasSubstr("ends in its record 1"));
}

TEST(DnsMessage, RefusesAliasesInACircle) {
  EXPECT_THAT(answered(kQuestion, {wire_record(kAsked, 5, kAsked)}).error(), HasSubstr("circle"));
}

TEST(DnsMessage, RefusesPointersThatLeadNowhere) {
  for (std::string const pointer : {"\xc0\xff", "\xff\xff", "\xc0", "\x80"}) {
    EXPECT_FALSE(answered(kQuestion, {wire_record(pointer, 1, "abcd")})) << pointer;
  }
  // One to itself: the record's owner begins behind the header and the question.
  std::size_t const here = 12 + question_of(query_of(kQuestion)).size();
  EXPECT_FALSE(answered(kQuestion, {wire_record(two(0xc000 | here), 1, "abcd")}));
}

TEST(DnsMessage, RefusesMoreRecordsThanItsBudget) {
  std::vector<std::string> const many(kMostRecords + 1, wire_record(kAsked, 1, "abcd"));
  EXPECT_FALSE(answered(kQuestion, many));
}

// Whatever bytes are changed, it ends, with an answer or a refusal; a sanitizer sees the rest.
TEST(DnsMessage, EndsWhateverItIsGiven) {
  auto const good = wire_answer(query_of(kQuestion),
                                {wire_record(kAsked, 5, wire_name("a.example")),
                                 wire_record(wire_name("a.example"), 1, "abcd"),
                                 wire_record(kAsked, 257, std::string("\0\5issue", 7) + "x")});
  std::mt19937 random{20'261'126};
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (std::size_t changes = random() % 6 + 1; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(bytes.size() - random() % 8);
    for (Type const type : {Type::a, Type::soa, Type::caa}) {
      refused += parse(bytes, {"www.example", type, true}) ? 0U : 1U;
    }
  }
  EXPECT_GT(refused, 20'000U);
}

TEST(DnsName, IsOneThatAQuestionCanHold) {
  for (auto const* name : {"", "example", "a.b-c._d", "xn--bcher-kva.example"}) {
    EXPECT_TRUE(is_name(name)) << name;
  }
  for (auto const& name : std::vector<std::string>{".", "a..b", "a.", "a b", std::string(64, 'a'),
                                                   std::string(254, 'a'), "a\\b"}) {
    EXPECT_FALSE(is_name(name)) << name;
  }
}

}  // namespace
}  // namespace canary::dns

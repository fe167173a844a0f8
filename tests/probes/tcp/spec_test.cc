// SPDX-License-Identifier: Apache-2.0
#include "probes/tcp/spec.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/kind.h"

namespace canary::tcp {
namespace {

using ::testing::HasSubstr;

// What `check tcp` makes of flags: the fields' own reader.
Result<config::ProbeSpec, std::vector<std::string>> from(config::GivenFlags const& given) {
  for (auto const& kind : probes::configured_kinds()) {
    if (kind.spec.name() == Spec::kKind) return config::probe_of(kind, given);
  }
  return std::vector<std::string>{"no such kind"};
}

std::string refusal(config::GivenFlags const& given) {
  auto const read = from(given);
  return read ? "taken" : read.error().at(0);
}

TEST(TcpSpec, IsReadFromItsFlags) {
  auto const read = from({{"address", {"[::1]:873"}},
                          {"starts-with", {"@RSYNCD: "}},
                          {"max-bytes", {"1KiB"}},
                          {"timeout", {"5s"}}});
  ASSERT_TRUE(read) << read.error().at(0);
  Spec const& spec = *read.value().kind.get<Spec>();
  EXPECT_EQ(spec.address, "[::1]:873");
  EXPECT_EQ(spec.starts_with, "@RSYNCD: ");
  EXPECT_EQ(spec.max_bytes, 1024U);
  EXPECT_EQ(read.value().timeout, std::chrono::seconds{5});
  EXPECT_EQ(read.value().name.text, "tcp://[::1]:873");
}

struct Refused {
  char const* name;
  config::GivenFlags given;
  char const* says;
};
class TcpSpecRefuses : public ::testing::TestWithParam<Refused> {};
TEST_P(TcpSpecRefuses, AndSaysWhy) {
  EXPECT_THAT(refusal(GetParam().given), HasSubstr(GetParam().says));
}
INSTANTIATE_TEST_SUITE_P(
    Cases, TcpSpecRefuses,
    ::testing::Values(
        Refused{"no_address", {}, "--address: is missing"},
        Refused{"no_port", {{"address", {"host"}}}, "--address: expected HOST:PORT"},
        Refused{"an_empty_port", {{"address", {"host:"}}}, "--address: expected HOST:PORT"},
        Refused{"no_port_behind_brackets", {{"address", {"[::1]"}}}, "expected HOST:PORT"},
        Refused{"a_path", {{"address", {"host:1/x"}}}, "expected HOST:PORT"},
        Refused{"credentials", {{"address", {"user:secret@host:1"}}}, "expected HOST:PORT"},
        Refused{"a_port_too_large", {{"address", {"host:65536"}}}, "expected HOST:PORT"},
        Refused{
            "another_escape", {{"address", {"h:1"}}, {"send", {"\\q"}}}, "--send: expected \\r"},
        Refused{"half_an_escape", {{"address", {"h:1"}}, {"send", {"\\x1"}}}, "--send: expected"},
        Refused{"no_expression", {{"address", {"h:1"}}, {"matches", {"("}}}, "--matches: expected"},
        Refused{"too_much", {{"address", {"h:1"}}, {"max-bytes", {"1MiB"}}}, "--max-bytes: "}),
    [](auto const& each) { return each.param.name; });

TEST(TcpSpec, DoesNotRepeatWhatMayBeCredentials) {
  for (auto const* const text : {"user:secret@host:1", "host:1?token=secret", "host:1/secret",
                                 "secret@host", "u:s3/secret@h:1"}) {
    auto const said = refusal({{"address", {text}}});
    EXPECT_THAT(said, HasSubstr("expected HOST:PORT")) << text;
    EXPECT_THAT(said, ::testing::Not(HasSubstr("secret"))) << text;
  }
}

TEST(TcpSpec, MeansBytesByItsEscapes) {
  EXPECT_EQ(unescaped("QUIT\\r\\n"), "QUIT\r\n");
  EXPECT_EQ(unescaped("\\x00\\xff\\\\"), std::string("\0\xff\\", 3));
  EXPECT_EQ(unescaped("\\"), std::nullopt);
}

}  // namespace
}  // namespace canary::tcp

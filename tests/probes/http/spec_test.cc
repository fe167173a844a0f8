// SPDX-License-Identifier: Apache-2.0
#include "probes/http/spec.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/config.h"
#include "probes/kind.h"

namespace canary::http {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

config::Kind const& the_kind() {
  for (auto const& each : probes::configured_kinds()) {
    if (each.spec.name() == "http") return each;
  }
  throw std::logic_error{"no such kind"};
}

auto read(config::GivenFlags flags) {
  flags.try_emplace("url", std::vector<std::string>{"http://host.test/"});
  return config::probe_of(the_kind(), flags);
}

TEST(HttpSpec, HasTheClientsSettingsInItsOwnSection) {
  auto const probe = read({{"status", {"200", "301-308"}},
                           {"header", {"Accept: text/html"}},
                           {"max-redirects", {"7"}},
                           {"method", {"POST"}}});
  ASSERT_TRUE(probe) << probe.error().at(0);
  auto const& spec = *probe.value().kind.get<Spec>();
  EXPECT_EQ(spec.statuses(), (std::vector<fetch::StatusRange>{{200, 200}, {301, 308}}));
  EXPECT_EQ(spec.verb(), "POST");
  EXPECT_EQ(probe.value().http.max_redirects, 7);
  EXPECT_EQ(probe.value().http.headers.at("Accept"), "text/html");
}

struct Refused {
  std::string name;
  config::GivenFlags flags;
  std::string why;
};
void PrintTo(Refused const& value, std::ostream* out) { *out << value.name; }
class HttpSpecRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(HttpSpecRefuses, ByTheFieldsName) {
  auto const probe = read(GetParam().flags);
  ASSERT_FALSE(probe);
  EXPECT_THAT(probe.error(), Contains(HasSubstr(GetParam().why)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HttpSpecRefuses,
    ::testing::Values(
        Refused{"no_status", {{"status", {"99"}}}, "--status: expected a status"},
        Refused{"a_range_backwards", {{"status", {"300-200"}}}, "--status: "},
        Refused{"a_method", {{"method", {"get"}}}, "--method: expected a method"},
        Refused{"connect", {{"method", {"CONNECT"}}}, "--method: "},
        Refused{"a_header", {{"header-matches", {"Content-Type"}}}, "expected NAME: EXPRESSION"},
        Refused{"an_expression", {{"matches", {"("}}}, "--matches: expected a regular expression"},
        Refused{"a_pointer", {{"json", {"status: ok"}}}, "--json: expected a JSON pointer"},
        Refused{"a_hash", {{"sha256", {"abc"}}}, "--sha256: expected 64"},
        Refused{"a_body_for_a_file",
                {{"url", {"file:///etc/hostname"}}, {"body", {"x"}}},
                "a file takes no method"},
        Refused{"searching_in_a_gibibyte",
                {{"max-bytes", {"1GiB"}}, {"contains", {"x"}}},
                "--max-bytes: expected at most 64MiB"},
        Refused{"searching_in_nothing", {{"method", {"HEAD"}}, {"contains", {"x"}}}, "HEAD"}),
    [](auto const& info) { return info.param.name; });

TEST(HttpSpec, IsSplitAtTheFirstColon) {
  EXPECT_EQ(split("/a: b: c").name, "/a");
  EXPECT_EQ(split("/a: b: c").rest, "b: c");
  EXPECT_EQ(split("/a:b").name, "/a:b");
  EXPECT_EQ(split("/a:   ").rest, "");
}

}  // namespace
}  // namespace canary::http

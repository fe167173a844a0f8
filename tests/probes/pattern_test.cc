// SPDX-License-Identifier: Apache-2.0
#include "probes/pattern.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::probes {
namespace {

using ::testing::HasSubstr;

bool found(std::string_view expression, std::string_view text) {
  return Pattern::compile(expression).value().found_in(text);
}

TEST(Pattern, IsFoundAnywhereUnlessItIsAnchored) {
  EXPECT_TRUE(found("b+", "abbc"));
  EXPECT_FALSE(found("^b", "abbc"));
  EXPECT_TRUE(found("(?i)ESMTP", "220 host esmtp"));
  EXPECT_FALSE(found("b", ""));
}

TEST(Pattern, ThatIsNoneIsRefusedWithItsText) {
  auto const refused = Pattern::compile("(a");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), HasSubstr("\"(a\": missing )"));
}

TEST(Pattern, ThatWouldTakeTooMuchMemoryIsRefused) {
  EXPECT_FALSE(Pattern::compile("((a{1,100}){1,100}){1,100}"));
}

// What backtracks takes 2^n steps here; this ends.
TEST(Pattern, IsLinearInTheText) { EXPECT_FALSE(found("(a+)+$", std::string(20'000, 'a') + "b")); }

TEST(Pattern, MatchesNoBytesThatAreNoUtf8) {
  EXPECT_TRUE(found("^\\w+", "ab\xff"));
  EXPECT_FALSE(found("^.$", "\xff"));
}

}  // namespace
}  // namespace canary::probes

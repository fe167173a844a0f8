// SPDX-License-Identifier: Apache-2.0
#include "probes/tcp/expectation.h"

#include <string>

#include <gtest/gtest.h>

namespace canary::tcp {
namespace {

Spec expecting(std::optional<std::string> starts_with, std::optional<std::string> contains = {},
               std::optional<std::string> matches = {}) {
  return {.address = "h:1",
          .starts_with = std::move(starts_with),
          .contains = std::move(contains),
          .matches = std::move(matches)};
}

// As the probe does it: the expression is looked for where that is due.
Answer told(Expectation& expectation, std::string const& heard, std::optional<End> end = {}) {
  if (expectation.look_is_due(heard.size(), end.has_value())) {
    expectation.looked(heard.size(), expectation.pattern().found_in(heard));
  }
  return end ? expectation.at_end(heard, *end) : expectation.so_far(heard);
}

TEST(Expectation, OfABeginningIsMetAsSoonAsItIsThere) {
  Expectation expectation{expecting("@RSYNCD: ")};
  EXPECT_EQ(told(expectation, ""), Answer::more);
  EXPECT_EQ(told(expectation, "@RSYN"), Answer::more);
  EXPECT_EQ(told(expectation, "@RSYNCD: 31.0\n"), Answer::met);
}

TEST(Expectation, OfABeginningIsUnmetWithTheFirstOtherByte) {
  Expectation expectation{expecting("@RSYNCD: ")};
  EXPECT_EQ(told(expectation, "@RSYNX"), Answer::unmet);
}

TEST(Expectation, OfTextIsMetWhereItComesInPieces) {
  Expectation expectation{expecting({}, "ESMTP")};
  std::string heard;
  for (char const* const piece : {"220 host ES", "MT"}) {
    heard += piece;
    EXPECT_EQ(told(expectation, heard), Answer::more);
  }
  EXPECT_EQ(told(expectation, heard + "P Postfix"), Answer::met);
}

TEST(Expectation, OfAnExpressionIsMetAnywhereInTheAnswer) {
  Expectation expectation{expecting({}, {}, "SSH-2\\.[0-9]+-OpenSSH")};
  EXPECT_EQ(told(expectation, "SSH-2.0-"), Answer::more);
  EXPECT_EQ(told(expectation, "SSH-2.0-OpenSSH_9.2\r\n"), Answer::met);
}

TEST(Expectation, LooksForAnExpressionALimitedNumberOfTimes) {
  Expectation expectation{expecting({}, {}, "never")};
  int looks = 0;
  for (std::size_t size = 1; size <= 64 * 1024; ++size) {
    if (!expectation.look_is_due(size, false)) continue;
    ++looks;
    expectation.looked(size, false);
  }
  EXPECT_LT(looks, 200);
  EXPECT_TRUE(expectation.look_is_due(64 * 1024, true)) << "and at the end";
}

TEST(Expectation, NeedsAllThatIsExpected) {
  Expectation expectation{expecting("220 ", "ESMTP", "Postfix$")};
  EXPECT_EQ(told(expectation, "220 host ESMTP Exim"), Answer::more);
  EXPECT_EQ(told(expectation, "220 host ESMTP Exim", End::closed), Answer::unmet);
  EXPECT_EQ(expectation.missing("220 host ESMTP Exim"), "that it matches \"Postfix$\"");
}

struct EndCase {
  char const* name;
  char const* heard;
  End end;
  Answer answer;
};
class AtTheEnd : public ::testing::TestWithParam<EndCase> {};

TEST_P(AtTheEnd, OfAnAnswerThatDoesNotBeginAsExpected) {
  Expectation expectation{expecting("@RSYNCD: ")};
  EXPECT_EQ(told(expectation, GetParam().heard, GetParam().end), GetParam().answer);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, AtTheEnd,
    ::testing::Values(EndCase{"nothing_and_silence", "", End::silent, Answer::unclear},
                      EndCase{"nothing_and_closed", "", End::closed, Answer::unclear},
                      EndCase{"a_part_and_silence", "@RSY", End::silent, Answer::unclear},
                      EndCase{"a_part_and_closed", "@RSY", End::closed, Answer::unmet},
                      EndCase{"a_part_and_no_more_room", "@RSY", End::full, Answer::unmet},
                      EndCase{"all", "@RSYNCD: 31", End::silent, Answer::met}),
    [](auto const& each) { return each.param.name; });

TEST(Expectation, OfTextThatDidNotComeIsUnmetOnceTheServerHasSpoken) {
  Expectation expectation{expecting({}, "ESMTP")};
  EXPECT_EQ(told(expectation, "go away\r\n", End::silent), Answer::unmet);
}

}  // namespace
}  // namespace canary::tcp

// SPDX-License-Identifier: Apache-2.0
// The page of metrics read back.
#include "daemon/push/samples.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::push {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Samples, AreTheLinesOfThePageThatHaveAValue) {
  auto const samples = samples_in(
      "# HELP a What is \"a\" 1\n# TYPE a gauge\na 1\nb{x=\"1 2\"} -2.5e-3\n\nnonsense\nc NaN\n"
      "d_bucket{le=\"+Inf\"} +Inf\ne -Inf");
  ASSERT_EQ(samples.size(), 5U);
  EXPECT_EQ(samples[0].series, "a");
  EXPECT_EQ(samples[0].value, 1);
  EXPECT_EQ(samples[1].series, "b{x=\"1 2\"}");
  EXPECT_EQ(samples[1].value, -2.5e-3);
  EXPECT_TRUE(std::isnan(samples[2].value));
  EXPECT_EQ(samples[3].value, std::numeric_limits<double>::infinity());
  EXPECT_EQ(samples[4].value, -std::numeric_limits<double>::infinity());
}

TEST(Samples, HaveTheirLabelsSortedWithTheNameAndThoseOfWhoSends) {
  EXPECT_THAT(labels_of("up", {}), ElementsAre(Pair("__name__", "up")));
  EXPECT_THAT(
      labels_of(R"(m{z="1",a="2"})", {{"job", "canaryd"}}),
      ElementsAre(Pair("__name__", "m"), Pair("a", "2"), Pair("job", "canaryd"), Pair("z", "1")));
}

TEST(Samples, HaveTheirLabelsAsTheyWereBeforeTheyWereEscaped) {
  EXPECT_THAT(labels_of(R"(m{a="q\"b\\n\n",b="},x=\"y\"",c=""})", {}),
              ElementsAre(Pair("__name__", "m"), Pair("a", "q\"b\\n\n"), Pair("b", "},x=\"y\"")));
}

// A receiver answers 500 to a label that is there twice.
TEST(Samples, HaveNoLabelTwice) {
  EXPECT_THAT(labels_of(R"(m{job="theirs",x="1"})", {{"instance", "i"}, {"job", "ours"}}),
              ElementsAre(Pair("__name__", "m"), Pair("instance", "i"), Pair("job", "ours"),
                          Pair("x", "1")));
}

}  // namespace
}  // namespace canary::push

// SPDX-License-Identifier: Apache-2.0
// What is suggested for a name that is not known, and when nothing is.
#include "config/nearest.h"

#include <gtest/gtest.h>

namespace canary::config {
namespace {

std::vector<std::string> const kKnown{"interval", "timeout", "http", "tuf", "warning"};

TEST(DidYouMean, FindsTypingErrors) {
  EXPECT_EQ(did_you_mean("intervall", kKnown), "did you mean interval?");
  EXPECT_EQ(did_you_mean("itnerval", kKnown), "did you mean interval?");
  EXPECT_EQ(did_you_mean("Timeout", kKnown), "did you mean timeout?");
  EXPECT_EQ(did_you_mean("htpt", kKnown), "did you mean http?");
  EXPECT_EQ(did_you_mean("tu", kKnown), "did you mean tuf?");
  EXPECT_EQ(did_you_mean("warn", kKnown), "did you mean warning?");
}

TEST(DidYouMean, StaysSilentWhenNothingIsClose) {
  EXPECT_EQ(did_you_mean("", kKnown), "");
  EXPECT_EQ(did_you_mean("x", kKnown), "");
  EXPECT_EQ(did_you_mean("headers", kKnown), "");
  EXPECT_EQ(did_you_mean(std::string(10'000, 'i'), kKnown), "");
}

}  // namespace
}  // namespace canary::config

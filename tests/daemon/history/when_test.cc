// SPDX-License-Identifier: Apache-2.0
#include "daemon/history/when.h"

#include <cstdlib>
#include <ctime>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::history {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// A Thursday, 10:00 UTC, 11:00 in Berlin.
constexpr Time kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + 10h};

struct Case {
  std::string text, utc, local;
};
class When : public ::testing::TestWithParam<Case> {
 protected:
  When() {
    ::setenv("TZ", "Europe/Berlin", 1);
    ::tzset();
  }
  ~When() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST_P(When, IsUnderstood) {
  auto const& wanted = GetParam();
  EXPECT_EQ(when_text(parse_when(wanted.text, kNow, Zone::utc).value(), Zone::utc), wanted.utc);
  EXPECT_EQ(when_text(parse_when(wanted.text, kNow, Zone::local).value(), Zone::local),
            wanted.local);
}
INSTANTIATE_TEST_SUITE_P(
    Cases, When,
    ::testing::Values(Case{"now", "2026-11-26 10:00:00", "2026-11-26 11:00:00"},
                      Case{"today", "2026-11-26 00:00:00", "2026-11-26 00:00:00"},
                      Case{"yesterday", "2026-11-25 00:00:00", "2026-11-25 00:00:00"},
                      Case{"tue", "2026-11-24 00:00:00", "2026-11-24 00:00:00"},
                      Case{"Thursday", "2026-11-26 00:00:00", "2026-11-26 00:00:00"},
                      Case{"fri", "2026-11-20 00:00:00", "2026-11-20 00:00:00"},
                      Case{"2d", "2026-11-24 10:00:00", "2026-11-24 11:00:00"},
                      Case{"2026-07-01", "2026-07-01 00:00:00", "2026-07-01 00:00:00"},
                      Case{"2026-07-01 08:30", "2026-07-01 08:30:00", "2026-07-01 08:30:00"},
                      Case{"2026-07-01T08:30:05", "2026-07-01 08:30:05", "2026-07-01 08:30:05"},
                      Case{"2026-07-01T08:30:00Z", "2026-07-01 08:30:00", "2026-07-01 10:30:00"}));

TEST(WhenText, NamesTheZoneAsItIsThen) {
  ::setenv("TZ", "Europe/Berlin", 1);
  ::tzset();
  EXPECT_EQ(zone_text(kNow, Zone::local), "CET (UTC+01:00)");
  EXPECT_EQ(zone_text(kNow - 24h * 180, Zone::local), "CEST (UTC+02:00)");
  EXPECT_EQ(zone_text(kNow, Zone::utc), "UTC");
  ::unsetenv("TZ");
  ::tzset();
}

TEST(WhenText, AnythingElseIsRefusedWithWhatIsUnderstood) {
  for (auto const* const odd : {"", "t", "someday", "2026-13-01", "-5m", "2026-11-24 10:00 x", "1",
                                "2026", "2026-11", "2026-11-2 1"}) {
    auto const parsed = parse_when(odd, kNow, Zone::utc);
    ASSERT_FALSE(parsed) << odd;
    EXPECT_THAT(parsed.error(), HasSubstr("yesterday"));
  }
}

TEST(WhenText, WhatIsRefusedIsRepeatedHarmlessly) {
  EXPECT_THAT(parse_when("\x1b[2J", kNow, Zone::utc).error(), HasSubstr("\\x1b[2J"));
}

TEST(WhenText, SpansHaveTwoUnitsAtMost) {
  EXPECT_EQ(span_text(0ms), "0 s");
  EXPECT_EQ(span_text(250ms), "250 ms");
  EXPECT_EQ(span_text(1s + 250ms), "1 s");
  EXPECT_EQ(span_text(60s), "1 min");
  EXPECT_EQ(span_text(3h + 20min + 5s), "3 h 20 min");
  EXPECT_EQ(span_text(24h * 2 + 3h), "2 d 3 h");
}

}  // namespace
}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
// Windows of maintenance: when they hold, over midnights, weeks and offsets, and for which probes.
#include "config/maintenance.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/duration.h"

namespace canary::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;
using ::testing::HasSubstr;

sys_seconds at(std::string_view time) { return parse_time(time, {}).value(); }

MaintenanceWindow weekly(std::string_view text) {
  return {.when = parse_weekly(text).value(), .probes = {}, .reason = "work"};
}

// "from to", without seconds; "" outside.
std::string holding(MaintenanceWindow const& window, std::string_view time) {
  auto const stretch = window.holding(at(time));
  return stretch ? to_text(stretch->from) + " " + to_text(stretch->to) : "";
}

TEST(Maintenance, OnceHoldsFromItsBeginUntilBeforeItsEnd) {
  MaintenanceWindow const window{
      .when = Stretch{at("2027-03-01T22:00:00Z"), at("2027-03-02T02:00:00Z")},
      .probes = {},
      .reason = "work"};
  EXPECT_EQ(holding(window, "2027-03-01T21:59:59Z"), "");
  EXPECT_EQ(holding(window, "2027-03-01T22:00:00Z"), "2027-03-01T22:00:00Z 2027-03-02T02:00:00Z");
  EXPECT_EQ(holding(window, "2027-03-02T01:59:59Z"), "2027-03-01T22:00:00Z 2027-03-02T02:00:00Z");
  EXPECT_EQ(holding(window, "2027-03-02T02:00:00Z"), "");
}

TEST(Maintenance, WeeklyHoldsOnItsDays) {
  auto const window = weekly("sun 02:00-04:00");  // 2027-03-07 is a Sunday
  EXPECT_EQ(holding(window, "2027-03-07T01:59:59Z"), "");
  EXPECT_EQ(holding(window, "2027-03-07T02:00:00Z"), "2027-03-07T02:00:00Z 2027-03-07T04:00:00Z");
  EXPECT_EQ(holding(window, "2027-03-07T04:00:00Z"), "");
  EXPECT_EQ(holding(window, "2027-03-08T03:00:00Z"), "");
  EXPECT_EQ(holding(window, "2027-03-14T03:00:00Z"), "2027-03-14T02:00:00Z 2027-03-14T04:00:00Z");
}

TEST(Maintenance, WeeklyMayEndOnTheNextDay) {
  auto const window = weekly("sat 23:00-01:30");
  EXPECT_EQ(holding(window, "2027-03-07T00:30:00Z"), "2027-03-06T23:00:00Z 2027-03-07T01:30:00Z");
  EXPECT_EQ(holding(window, "2027-03-07T01:30:00Z"), "");
  EXPECT_EQ(holding(window, "2027-03-07T23:30:00Z"), "") << "Sunday's evening is not Saturday's";
}

TEST(Maintenance, WeeklyTakesRangesListsAndWholeDays) {
  auto const nights = weekly("fri-mon,wed 22:00-23:00");
  for (auto const* const day :
       {"2027-03-05", "2027-03-06", "2027-03-07", "2027-03-08", "2027-03-10"}) {
    EXPECT_NE(holding(nights, std::string{day} + "T22:30:00Z"), "") << day;
  }
  EXPECT_EQ(holding(nights, "2027-03-09T22:30:00Z"), "");
  EXPECT_NE(holding(weekly("sun 00:00-24:00"), "2027-03-07T23:59:59Z"), "");
  EXPECT_EQ(holding(weekly("sun 00:00-24:00"), "2027-03-08T00:00:00Z"), "");
}

TEST(Maintenance, WeeklyReadsBackAsItIsWritten) {
  for (auto const* const text : {"sun 02:00-04:00", "mon,tue,sun 22:15-01:30", "daily 03:00-03:30",
                                 "sat 00:00-24:00", "mon 23:00-24:00"}) {
    EXPECT_EQ(to_text(parse_weekly(text).value()), text);
  }
  EXPECT_EQ(to_text(parse_weekly("sat-mon 01:00-02:00").value()), "mon,sat,sun 01:00-02:00");
}

TEST(Maintenance, WeeklyRefusesWhatIsNoWindow) {
  for (auto const* const text :
       {"", "sun", "sun ", " 02:00-04:00", "sunday 02:00-04:00", "sun,  02:00-04:00",
        "sun, 02:00-04:00", "sun-02:00-04:00", "sun 2:00-4:00", "sun 02:00", "sun 02:60-04:00",
        "sun 02:00-24:30", "sun 24:00-02:00", "sun 02:00-04:00 ", "Sun 02:00-04:00",
        "sun 02:00-04:00 Europe/Berlin", "sun 02:00-02:00", "daily 00:00-24:00",
        "daily 05:00-05:00"}) {
    EXPECT_FALSE(parse_weekly(text)) << text;
  }
  EXPECT_THAT(parse_weekly("daily 00:00-24:00").error(), HasSubstr("enabled: false"));
}

TEST(Maintenance, MomentsHaveAnOffset) {
  EXPECT_EQ(parse_moment("2027-03-01T23:00:00+01:00").value(), at("2027-03-01T22:00:00Z"));
  EXPECT_EQ(parse_moment("2027-03-01T16:30:00-05:30").value(), at("2027-03-01T22:00:00Z"));
  EXPECT_EQ(parse_moment("2027-03-01").value(), at("2027-03-01T00:00:00Z"));
  for (auto const* const text : {"now", "2027-03-01T23:00:00", "2027-03-01T23:00:00+1:00",
                                 "2027-03-01T23:00:00+24:00", "2027-03-01+01:00", "+01:00"}) {
    EXPECT_FALSE(parse_moment(text)) << text;
  }
}

TEST(Maintenance, IsOfTheProbesItNamesOrOfAll) {
  auto window = weekly("sun 02:00-04:00");
  EXPECT_TRUE(window.covers("anything"));
  window.probes = {"fleet-*", "a"};
  EXPECT_TRUE(window.covers("fleet-x"));
  EXPECT_TRUE(window.covers("a"));
  EXPECT_FALSE(window.covers("ab"));
}

}  // namespace
}  // namespace canary::config

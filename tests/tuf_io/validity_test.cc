// SPDX-License-Identifier: Apache-2.0
// How long a role is valid is told from what was seen; thresholds are a share of it at most.
#include "probes/tuf/validity.h"

#include <string>

#include <gtest/gtest.h>

#include "probes/tuf/spec.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Source = Validity::Source;

// Of a version: when it was signed for how long (from kNow), and when it was seen.
SeenVersion seen(std::uint64_t version, seconds expires, seconds first, seconds last) {
  return {version, kNow + expires, kNow + first, kNow + last};
}

struct Case {
  std::string name;
  SeenVersions seen;                 // the last is served now, at kNow
  std::optional<seconds> file_time;  // from kNow
  Source source;
  seconds span;
};

class Validities : public testing::TestWithParam<Case> {};

TEST_P(Validities, AreEstimated) {
  Case const& given = GetParam();
  std::optional<Time> file;
  if (given.file_time) file = kNow + *given.file_time;
  Time const expires = given.seen.empty() ? kNow + days{1} : given.seen.back().expires;
  Validity const found = estimate_validity(expires, given.seen, file, kNow);
  EXPECT_EQ(found.source, given.source);
  EXPECT_EQ(found.span, given.span) << found.span.count();
}

INSTANTIATE_TEST_SUITE_P(
    Each, Validities,
    testing::Values(
        // Nothing remembered: the file's time, or at least what is left.
        Case{"Nothing", {}, {}, Source::unknown, days{1}},
        Case{"FreshFile", {}, seconds{0}, Source::last_modified, days{1}},
        Case{"FileOfLastWeek", {}, -days{6}, Source::last_modified, days{7}},
        Case{"FileABitInTheFuture", {}, hours{2}, Source::last_modified, days{1}},
        Case{"FileOfNextYear", {}, days{300}, Source::unknown, days{1}},
        Case{"FileOfTheEpoch", {}, -days{20'000}, Source::unknown, days{1}},
        Case{"FileYoungerThanItsExpiry",
             {seen(1, -days{1}, -days{2}, {})},
             seconds{0},
             Source::last_modified,
             days{1}},
        // One version only: it may have been old when it was first seen.
        Case{"FirstSight", {seen(1, days{20}, {}, {})}, {}, Source::unknown, days{20}},
        Case{
            "FirstSeenLongAgo", {seen(1, days{20}, -days{80}, {})}, {}, Source::unknown, days{100}},
        Case{"FileWrittenAgainEachHour",
             {seen(1, days{20}, -days{80}, {})},
             -hours{1},
             Source::last_modified,
             days{100}},
        // A version that came while somebody looked.
        Case{"SeenNew",
             {seen(1, hours{2}, -days{2}, -hours{1}), seen(2, hours{23}, -minutes{55}, {})},
             -days{300},
             Source::seen_new,
             hours{23} + minutes{55}},
        Case{"ComesBackAfterAnotherOne",
             {seen(2, hours{20}, -hours{4}, -minutes{5}), seen(1, hours{12}, -hours{12}, {})},
             {},
             Source::seen_new,
             days{1}},
        Case{"AnEarlierOneWasSeenNew",
             {seen(1, -days{8}, -days{16}, -days{14}), seen(2, -days{7}, -days{14}, -days{8}),
              seen(5, days{2}, {}, {})},
             {},
             Source::earlier,
             days{7}},
        // Nobody looked for long: the steps tell, where none was skipped and none had lapsed.
        Case{"Steps",
             {seen(1, days{1}, -days{9}, -days{9}), seen(2, days{8}, {}, {})},
             {},
             Source::steps,
             days{8}},
        Case{"StepsWithAGap",
             {seen(1, days{1}, -days{9}, -days{9}), seen(3, days{8}, {}, {})},
             {},
             Source::unknown,
             days{8}},
        Case{"StepsAfterALapse",
             {seen(1, -days{3}, -days{9}, -days{9}), seen(2, days{1}, {}, {})},
             {},
             Source::unknown,
             days{1}}),
    [](auto const& info) { return info.param.name; });

config::ExpiryThresholds const kUpTo{config::ExpiryThreshold::up_to(days{2}),
                                     config::ExpiryThreshold::up_to(days{1})};

ThresholdsInForce fitted(seconds validity, Source source = Source::last_modified) {
  return thresholds_in_force(kUpTo, {source, validity, kNow});
}

TEST(Thresholds, AreAThirdAndASixthOfTheValidityAtMost) {
  EXPECT_EQ(fitted(days{1}).warning, hours{8});
  EXPECT_EQ(fitted(days{1}).critical, hours{4});
  EXPECT_TRUE(fitted(days{1}).warning_shortened && fitted(days{1}).critical_shortened);
  EXPECT_EQ(fitted(days{6}).warning, days{2}) << "just as configured";
  EXPECT_EQ(fitted(days{6}).critical, days{1});
  EXPECT_FALSE(fitted(days{6}).warning_shortened || fitted(days{6}).critical_shortened);
  EXPECT_EQ(fitted(days{365}).warning, days{2}) << "never more than configured";
}

TEST(Thresholds, AreWellAboveWhatIsLeftOfAFreshRoleWhateverItsValidity) {
  for (seconds const validity : {seconds{60}, seconds{hours{1}}, seconds{hours{12}},
                                 seconds{days{1}}, seconds{days{7}}, seconds{days{365}}}) {
    for (config::ExpiryThresholds const& role :
         {ExpirySpec{}.root, ExpirySpec{}.timestamp, ExpirySpec{}.snapshot, ExpirySpec{}.targets,
          ExpirySpec{}.delegated}) {
      auto const in_force = thresholds_in_force(role, {Source::seen_new, validity, kNow});
      EXPECT_LE(3 * in_force.warning, validity);
      EXPECT_LE(6 * in_force.critical, validity);
      EXPECT_GT(in_force.critical, seconds{0});
    }
  }
}

TEST(Thresholds, OfUnknownValidityWarnAsConfiguredAndAreCriticalOnlyWhereThatIsCertain) {
  auto const in_force = fitted(days{1}, Source::unknown);
  EXPECT_EQ(in_force.warning, days{2});
  EXPECT_FALSE(in_force.warning_shortened);
  EXPECT_EQ(in_force.critical, hours{4});
}

TEST(Thresholds, ThatAreNotFittedHoldAsTheyStand) {
  auto const in_force =
      thresholds_in_force({hours{20}, hours{12}}, {Source::seen_new, days{1}, kNow});
  EXPECT_EQ(in_force.warning, hours{20});
  EXPECT_EQ(in_force.critical, hours{12});
  EXPECT_FALSE(in_force.warning_shortened || in_force.critical_shortened);
}

TEST(Thresholds, NeverWarnLaterThanTheyAreCritical) {
  auto const in_force = thresholds_in_force({config::ExpiryThreshold::up_to(days{2}), hours{12}},
                                            {Source::seen_new, days{1}, kNow});
  EXPECT_EQ(in_force.critical, hours{12});
  EXPECT_EQ(in_force.warning, hours{12});
}

TEST(Validity, SaysWhatItRestsOn) {
  EXPECT_EQ(sentence(Validity{}), "for how long it was signed is not known");
  EXPECT_EQ(sentence(Validity{Source::seen_new, days{7}, kNow}),
            "valid for about 7 days, from when it was new, 2026-06-01T00:00:00Z");
  EXPECT_EQ(sentence(Validity{Source::earlier, days{7}, {}}),
            "valid for about 7 days, as an earlier version was");
  EXPECT_EQ(sentence(Validity{Source::steps, days{7}, {}}),
            "valid for about 7 days, by the steps between its versions");
  EXPECT_EQ(sentence(Validity{Source::last_modified, hours{36}, kNow}),
            "valid for about 1 day 12 hours, as its file is of 2026-06-01T00:00:00Z");
}

}  // namespace
}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Whose clock is off: one server's word, that of several, and the kernel's.
#include "probes/fetch/server_clock.h"

#include <ostream>

#include <gtest/gtest.h>

namespace canary::fetch {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr auto kNow = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1} + 0s;

TEST(ClockDifference, IsTheDatesBesideOurTimeHalfwayThroughTheRoundTrip) {
  auto const same = clock_difference("Mon, 01 Jun 2026 00:00:00 GMT", "", kNow + 500ms, 0s);
  EXPECT_EQ(same, (ClockDifference{0ms, 500ms}));
  auto const ahead = clock_difference("Tue, 02 Jun 2026 00:00:00 GMT", "", kNow + 2s, 4s);
  EXPECT_EQ(ahead, (ClockDifference{days{1} + 500ms, 2500ms}));
  EXPECT_TRUE(ahead->matters());
  EXPECT_FALSE(clock_difference("", "", kNow, 0s));
  EXPECT_FALSE(clock_difference("yesterday", "", kNow, 0s));
  EXPECT_FALSE(clock_difference("Mon, 01 Jux 2026 00:00:00 GMT", "", kNow, 0s));
}

TEST(ClockDifference, CountsHowLongACacheKeptTheAnswer) {
  auto const kept = clock_difference("Sun, 31 May 2026 00:00:00 GMT", "86400", kNow + 500ms, 0s);
  EXPECT_EQ(kept, (ClockDifference{0ms, 1000ms}));
  auto const hostile =
      clock_difference("Sun, 31 May 2026 00:00:00 GMT", "9999999999999999", kNow, 0s);
  EXPECT_TRUE(hostile);
}

TEST(ClockDifference, OfASlowAnswerDoesNotMatter) {
  EXPECT_FALSE((ClockDifference{90s, 40s}.matters()));
  EXPECT_FALSE((ClockDifference{-59s, 0s}.matters()));
  EXPECT_TRUE((ClockDifference{-62s, 1s}.matters()));
}

struct Said {
  std::string repository, host;
  std::chrono::milliseconds difference;
  std::chrono::minutes ago{0};
};
struct VerdictCase {
  std::string name;
  std::vector<Said> said;
  KernelClock kernel;
  std::optional<std::size_t> witnesses;  // none: our clock is not said to be off
};
std::ostream& operator<<(std::ostream& out, VerdictCase const& c) { return out << c.name; }

class OurClock : public ::testing::TestWithParam<VerdictCase> {};

TEST_P(OurClock, IsOffWhereIndependentWitnessesSaySo) {
  auto const& given = GetParam();
  ClockWitnesses witnesses;
  auto const now = runtime::Clock::time_point{} + 100h;
  for (auto const& one : given.said) {
    witnesses.add(one.repository, {{one.host, {one.difference, 1s}}}, now - one.ago);
  }
  auto const verdict = witnesses.verdict("own", given.kernel, now);
  EXPECT_EQ(verdict ? std::optional{verdict->witnesses} : std::nullopt, given.witnesses);
}

constexpr auto kKept = KernelClock::synchronised;
constexpr auto kUnkept = KernelClock::unsynchronised;

INSTANTIATE_TEST_SUITE_P(
    Cases, OurClock,
    ::testing::Values(
        VerdictCase{"nobody_said_anything", {}, kUnkept, {}},
        VerdictCase{"the_repository_alone", {{"own", "a", days{200}}}, kKept, {}},
        VerdictCase{"the_repository_and_the_kernel", {{"own", "a", days{200}}}, kUnkept, {}},
        VerdictCase{
            "two_of_its_mirrors", {{"own", "a", days{200}}, {"own", "b", days{200}}}, kKept, {}},
        VerdictCase{
            "one_host_of_two", {{"own", "a", days{200}}, {"other", "a", days{200}}}, kKept, {}},
        VerdictCase{"two_that_share_a_mirror",
                    {{"own", "a", days{200}}, {"x", "b", days{200}}, {"x", "a", days{200}}},
                    kKept,
                    {}},
        VerdictCase{"two", {{"own", "a", days{200}}, {"x", "b", days{200} + 59s}}, kKept, 2},
        VerdictCase{"two_others", {{"x", "b", -400s}, {"y", "c", -401s}}, kKept, 2},
        VerdictCase{"another_and_the_kernel", {{"x", "b", -400s}}, kUnkept, 1},
        VerdictCase{"another_alone", {{"x", "b", -400s}}, kKept, {}},
        VerdictCase{"two_that_disagree", {{"own", "a", days{200}}, {"x", "b", days{2}}}, kKept, {}},
        VerdictCase{"half_of_four",
                    {{"own", "a", days{9}}, {"x", "b", days{9}}, {"y", "c", 0s}, {"z", "d", 0s}},
                    kUnkept,
                    {}},
        VerdictCase{
            "three_of_four",
            {{"own", "a", days{9}}, {"x", "b", days{9}}, {"y", "c", days{9}}, {"z", "d", 0s}},
            kKept,
            3},
        VerdictCase{"two_by_less_than_matters", {{"own", "a", 50s}, {"x", "b", 50s}}, kKept, {}},
        VerdictCase{"two_one_of_them_long_ago",
                    {{"own", "a", days{9}}, {"x", "b", days{9}, 61min}},
                    kKept,
                    {}}),
    [](auto const& info) { return info.param.name; });

}  // namespace
}  // namespace canary::fetch

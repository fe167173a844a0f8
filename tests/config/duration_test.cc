// SPDX-License-Identifier: Apache-2.0
// Durations, sizes and times: what is read, what is refused, and that writing reads back.
#include "config/duration.h"

#include <limits>
#include <ostream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace canary::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

struct Read {
  std::string name, text;
  std::uint64_t value;
  std::string shortest;
};
std::ostream& operator<<(std::ostream& out, Read const& c) { return out << c.text; }
auto const kName = [](auto const& info) { return info.param.name; };

class Duration : public ::testing::TestWithParam<Read> {};

TEST_P(Duration, IsReadAndWrittenBack) {
  auto const parsed = parse_duration(GetParam().text);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(static_cast<std::uint64_t>(parsed.value().count()), GetParam().value);
  EXPECT_EQ(to_text(parsed.value()), GetParam().shortest);
  EXPECT_EQ(parse_duration(to_text(parsed.value())).value(), parsed.value());
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Duration,
    ::testing::Values(Read{"zero", "0", 0, "0s"}, Read{"zero_seconds", "0s", 0, "0s"},
                      Read{"millisecond", "1ms", 1, "1ms"}, Read{"seconds", "30s", 30'000, "30s"},
                      Read{"ninety_seconds", "90s", 90'000, "1m30s"},
                      Read{"minutes_not_milliseconds", "5m", 300'000, "5m"},
                      Read{"mixed", "1h30m", 5'400'000, "1h30m"},
                      Read{"mixed_down_to_ms", "1m1ms", 60'001, "1m1ms"},
                      Read{"week", "7d", 604'800'000, "1w"},
                      Read{"not_whole_weeks", "4w2d", 2'592'000'000, "30d"},
                      Read{"all_units", "1w1d1h1m1s1ms", 694'861'001, "8d1h1m1s1ms"},
                      Read{"ten_years", "3653d", 315'619'200'000, "3653d"}),
    kName);

struct Refused {
  std::string name, text, says;
};
std::ostream& operator<<(std::ostream& out, Refused const& c) { return out << c.text; }

class DurationRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(DurationRefuses, AndSaysWhatIsExpected) {
  auto const parsed = parse_duration(GetParam().text);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, DurationRefuses,
    ::testing::Values(Refused{"empty", "", "expected a duration"},
                      Refused{"bare_number", "30", "expected a duration"},
                      Refused{"bare_unit", "s", "expected a duration"},
                      Refused{"fraction", "1.5h", "expected a duration"},
                      Refused{"negative", "-5s", "expected a duration"},
                      Refused{"plus", "+5s", "expected a duration"},
                      Refused{"blank", "5 s", "expected a duration"},
                      Refused{"leading_blank", " 5s", "expected a duration"},
                      Refused{"unknown_unit", "5y", "expected a duration"},
                      Refused{"upper_case_unit", "5M", "expected a duration"},
                      Refused{"number_at_end", "5s5", "expected a duration"},
                      Refused{"unit_twice", "5s5s", "each unit of a duration once"},
                      Refused{"smaller_first", "5s5m", "the largest first"},
                      Refused{"too_long", "3654d", "ten years"},
                      Refused{"too_long_in_sum", "3653d1ms", "ten years"},
                      Refused{"overflow_of_product", "18446744073709551615w", "ten years"},
                      Refused{"overflow_of_number", "99999999999999999999s", "got"}),
    kName);

class Size : public ::testing::TestWithParam<Read> {};

TEST_P(Size, IsReadAndWrittenBack) {
  auto const parsed = parse_size(GetParam().text);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed.value(), GetParam().value);
  EXPECT_EQ(size_text(parsed.value()), GetParam().shortest);
  EXPECT_EQ(parse_size(size_text(parsed.value())).value(), parsed.value());
}

INSTANTIATE_TEST_SUITE_P(
    Cases, Size,
    ::testing::Values(Read{"zero", "0", 0, "0B"}, Read{"bare", "1024", 1024, "1KiB"},
                      Read{"bytes", "1025B", 1025, "1025B"}, Read{"kb", "512KB", 512'000, "512KB"},
                      Read{"mb", "1MB", 1'000'000, "1MB"}, Read{"gb", "3GB", 3'000'000'000, "3GB"},
                      Read{"kib", "64KiB", 65'536, "64KiB"},
                      Read{"mib", "1024MiB", 1'073'741'824, "1GiB"},
                      Read{"largest", "18446744073709551615",
                           std::numeric_limits<std::uint64_t>::max(), "18446744073709551615B"}),
    kName);

class SizeRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(SizeRefuses, AndSaysWhatIsExpected) {
  auto const parsed = parse_size(GetParam().text);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error(), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Cases, SizeRefuses,
                         ::testing::Values(Refused{"empty", "", "expected a size"},
                                           Refused{"fraction", "1.5MiB", "expected a size"},
                                           Refused{"negative", "-1", "expected a size"},
                                           Refused{"blank", "64 MiB", "expected a size"},
                                           Refused{"lower_case", "64mib", "expected a size"},
                                           Refused{"unknown_unit", "1TiB", "expected a size"},
                                           Refused{"two_units", "1MiB1KiB", "expected a size"},
                                           Refused{"overflow", "18446744073709551615KiB", "16 EiB"},
                                           Refused{"number_too_large", "18446744073709551616",
                                                   "expected a size"}),
                         kName);

TEST(Time, IsReadAsUtcAndWrittenBack) {
  sys_seconds const now{12s};
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z", now).value(), sys_seconds{0s});
  EXPECT_EQ(parse_time("2026-11-24", now).value(), sys_seconds{1'795'478'400s});
  EXPECT_EQ(parse_time("2024-02-29T23:59:59Z", now).value(), sys_seconds{1'709'251'199s});
  EXPECT_EQ(parse_time("now", now).value(), now);
  EXPECT_EQ(to_text(sys_seconds{1'709'251'199s}), "2024-02-29T23:59:59Z");
  EXPECT_EQ(to_text(sys_seconds{0s}), "1970-01-01T00:00:00Z");
}

TEST(Time, RefusesWhatIsNoUtcTime) {
  for (auto const* text : {"", "24.11.2026", "2026-11-24T00:00:00", "2026-11-24T00:00:00+01:00",
                           "2026-11-24T00:00Z", "2026-11-24 00:00:00Z", "2026-11-24T00:00:00.5Z",
                           "2026-11-24T24:00:00Z", "2026-11-24T00:00:60Z", "2026-02-29",
                           "2026-13-01", "2026-1-1", "2026-11-24T00:00:00Zx", "20a6-11-24"}) {
    EXPECT_FALSE(parse_time(text, {})) << text;
  }
}

}  // namespace
}  // namespace canary::config

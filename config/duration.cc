// SPDX-License-Identifier: Apache-2.0
// Reading and writing durations, sizes and points in time.
// Thread: none (pure). Source: RFC 3339 for times.
#include "config/duration.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

namespace canary::config {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first; factors in milliseconds.
constexpr std::array<Unit, 6> kDurationUnits{{{"w", 604'800'000},
                                              {"d", 86'400'000},
                                              {"h", 3'600'000},
                                              {"m", 60'000},
                                              {"s", 1'000},
                                              {"ms", 1}}};
constexpr std::uint64_t kLongestDuration = std::uint64_t{3'653} * 86'400'000;  // ten years

constexpr std::array<Unit, 7> kSizeUnits{{{"GiB", std::uint64_t{1} << 30},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"KiB", std::uint64_t{1} << 10},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"KB", 1'000},
                                          {"B", 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits in front of `text`; nothing when there are none or they overflow.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  if (text.empty() || !is_digit(text[0])) return std::nullopt;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string quoted(std::string_view text) { return '"' + std::string(text.substr(0, 60)) + '"'; }

template <std::size_t N>
int find_unit(std::array<Unit, N> const& units, std::string_view name) {
  auto const found = std::ranges::find(units, name, &Unit::name);
  return found == units.end() ? -1 : static_cast<int>(found - units.begin());
}

std::string not_a_duration(std::string_view text) {
  return "expected a duration such as 30s, 5m or 1h30m (units ms, s, m, h, d, w), got " +
         quoted(text);
}

std::string not_a_size(std::string_view text) {
  return "expected a size such as 64MiB or 512KB (units B, KB, MB, GB, KiB, MiB, GiB), got " +
         quoted(text);
}

std::string not_a_time(std::string_view text) {
  return "expected a UTC time such as 2026-11-24T00:00:00Z or 2026-11-24, or now, got " +
         quoted(text);
}

// Exactly `digits` digits in front of `text`, then `mark` (when given).
std::optional<unsigned> take_field(std::string_view& text, std::size_t digits, char mark) {
  if (text.size() < digits || !std::ranges::all_of(text.substr(0, digits), is_digit)) {
    return std::nullopt;
  }
  unsigned value = 0;
  for (char const c : text.substr(0, digits)) value = value * 10 + static_cast<unsigned>(c - '0');
  text.remove_prefix(digits);
  if (mark == '\0') return value;
  if (!text.starts_with(mark)) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

}  // namespace

Result<milliseconds, std::string> parse_duration(std::string_view text) {
  if (text == "0") return milliseconds{0};
  auto rest = text;
  std::uint64_t total = 0;
  int smallest = -1;  // index of the last unit seen
  do {
    auto const number = take_number(rest);
    if (!number) return not_a_duration(text);
    auto const letters = rest.substr(0, std::min(rest.find_first_of("0123456789"), rest.size()));
    int const unit = find_unit(kDurationUnits, letters);
    if (unit < 0) return not_a_duration(text);
    if (unit <= smallest) {
      return "expected each unit of a duration once and the largest first, got " + quoted(text);
    }
    smallest = unit;
    auto const factor = kDurationUnits[static_cast<std::size_t>(unit)].factor;
    if (*number > (kLongestDuration - total) / factor) {
      return "expected at most ten years, got " + quoted(text);
    }
    total += *number * factor;
    rest.remove_prefix(letters.size());
  } while (!rest.empty());
  return milliseconds{total};
}

std::string to_text(milliseconds value) {
  if (value.count() == 0) return "0s";
  if (value.count() < 0) return "-" + to_text(-value);
  auto rest = static_cast<std::uint64_t>(value.count());
  std::string result;
  bool const whole_weeks = rest % kDurationUnits[0].factor == 0;
  for (auto const& unit : kDurationUnits) {
    if (unit.name == "w" && !whole_weeks) continue;  // people read 30d better than 4w2d
    if (auto const number = rest / unit.factor; number != 0) {
      result += std::to_string(number);
      result += unit.name;
      rest %= unit.factor;
    }
  }
  return result;
}

Result<std::uint64_t, std::string> parse_size(std::string_view text) {
  auto rest = text;
  auto const number = take_number(rest);
  if (!number) return not_a_size(text);
  if (rest.empty()) return *number;
  int const unit = find_unit(kSizeUnits, rest);
  if (unit < 0) return not_a_size(text);
  auto const factor = kSizeUnits[static_cast<std::size_t>(unit)].factor;
  if (*number > std::numeric_limits<std::uint64_t>::max() / factor) {
    return "expected a size below 16 EiB, got " + quoted(text);
  }
  return *number * factor;
}

std::string size_text(std::uint64_t bytes) {
  std::string shortest;
  for (auto const& unit : kSizeUnits) {
    if (bytes % unit.factor != 0 || (bytes == 0 && unit.factor != 1)) continue;
    auto candidate = std::to_string(bytes / unit.factor);
    candidate += unit.name;
    if (shortest.empty() || candidate.size() < shortest.size()) shortest = std::move(candidate);
  }
  return shortest;
}

Result<std::chrono::sys_seconds, std::string> parse_time(std::string_view text,
                                                         std::chrono::sys_seconds now) {
  if (text == "now") return now;
  auto rest = text;
  auto const year = take_field(rest, 4, '-');
  auto const month = year ? take_field(rest, 2, '-') : std::nullopt;
  auto const day = month ? take_field(rest, 2, '\0') : std::nullopt;
  if (!day) return not_a_time(text);
  std::chrono::year_month_day const date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{*month}, std::chrono::day{*day}};
  if (!date.ok()) return "expected a date of the calendar, got " + quoted(text);
  std::chrono::sys_seconds const midnight = std::chrono::sys_days{date};
  if (rest.empty()) return midnight;
  if (rest[0] != 'T') return not_a_time(text);
  rest.remove_prefix(1);
  auto const hour = take_field(rest, 2, ':');
  auto const minute = hour ? take_field(rest, 2, ':') : std::nullopt;
  auto const second = minute ? take_field(rest, 2, 'Z') : std::nullopt;
  if (!second || !rest.empty()) return not_a_time(text);
  if (*hour > 23 || *minute > 59 || *second > 59) {
    return "expected a time of day up to 23:59:59, got " + quoted(text);
  }
  return midnight + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

std::string to_text(std::chrono::sys_seconds time) {
  auto const day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day const date{day};
  std::chrono::hh_mm_ss const clock{time - day};
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return buffer;
}

}  // namespace canary::config

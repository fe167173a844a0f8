// SPDX-License-Identifier: Apache-2.0
// Reads `expires`, as the specification writes it and as real repositories did.
// Thread: none (pure). Source: TUF 1.0.34 §4.2.
#include <array>
#include <charconv>
#include <cstdio>

#include "probes/tuf/parse.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kBefore = "--T::";  // each of month, day, hours, minutes, seconds

// Takes exactly `digits` decimal digits from the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& number) {
  if (text.size() < digits) return false;
  std::string_view const taken = text.substr(0, digits);
  if (taken.find_first_not_of("0123456789") != std::string_view::npos) return false;
  std::from_chars(taken.data(), taken.data() + taken.size(), number);
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// ".123": up to nine digits, which are dropped.
bool take_fraction(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  text.remove_prefix(digits);
  return digits >= 1 && digits <= 9;
}

// "Z", "+06:00" or "-06:00".
bool take_zone(std::string_view& text, std::chrono::seconds& offset, bool& as_specified) {
  if (take(text, 'Z')) return true;
  as_specified = false;
  int const sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, '+') && !take(text, '-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes)) {
    return false;
  }
  offset = sign * (std::chrono::hours{hours} + std::chrono::minutes{minutes});
  return hours <= 23 && minutes <= 59;
}

}  // namespace

Result<Expiry> parse_expires(std::string_view text, std::string_view role) {
  std::string_view rest = text;
  int year = 0;
  std::array<int, 5> parts{};  // month, day, hours, minutes, seconds
  bool good = take_number(rest, 4, year);
  for (std::size_t i = 0; i < parts.size() && good; ++i) {
    good = take(rest, kBefore[i]) && take_number(rest, 2, parts[i]);
  }
  auto const [month, day, hours, minutes, seconds] = parts;
  Expiry expiry;
  if (good && take(rest, '.')) {
    expiry.as_specified = false;
    good = take_fraction(rest);
  }
  std::chrono::seconds offset{0};
  good = good && take_zone(rest, offset, expiry.as_specified) && rest.empty();
  std::chrono::year_month_day const date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!good || !date.ok() || hours > 23 || minutes > 59 || seconds > 59) {
    std::string detail = "signed.expires: expected YYYY-MM-DDTHH:MM:SSZ, found ";
    return Rejection{Rule::field_invalid, std::string(role), detail.append(text.substr(0, 60))};
  }
  expiry.time = std::chrono::sys_days{date} + std::chrono::hours{hours} +
                std::chrono::minutes{minutes} + std::chrono::seconds{seconds} - offset;
  return expiry;
}

std::string expires_text(Time time) {
  std::chrono::sys_days const day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day const date{day};
  std::chrono::hh_mm_ss const clock{time - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

}  // namespace canary::tuf

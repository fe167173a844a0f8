// SPDX-License-Identifier: Apache-2.0
#include "daemon/history/when.h"

#include <array>
#include <cctype>
#include <ctime>
#include <iomanip>
#include <optional>
#include <sstream>

#include "config/duration.h"
#include "config/harmless.h"

namespace canary::history {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> kDays{"sunday",   "monday", "tuesday", "wednesday",
                                                "thursday", "friday", "saturday"};

std::tm broken_down(Time time, Zone zone) {
  std::time_t const at = floor<seconds>(time).time_since_epoch().count();
  std::tm parts{};
  if (zone == Zone::local) {
    ::localtime_r(&at, &parts);
  } else {
    ::gmtime_r(&at, &parts);
  }
  return parts;
}

Time time_of(std::tm parts, Zone zone) {
  parts.tm_isdst = -1;
  auto const at = zone == Zone::local ? ::mktime(&parts) : ::timegm(&parts);
  return Time{seconds{at}};
}

// 00:00 of the day that is so many days before `now`'s.
Time midnight(Time now, int days_before, Zone zone) {
  std::tm parts = broken_down(now, zone);
  parts.tm_mday -= days_before;
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  return time_of(parts, zone);
}

std::optional<int> weekday(std::string const& text) {
  for (std::size_t i = 0; i < kDays.size(); ++i) {
    if (text.size() >= 3 && kDays[i].starts_with(text)) return static_cast<int>(i);
  }
  return std::nullopt;
}

std::optional<Time> parse_local(std::string const& text, Zone zone) {
  for (auto const* const format :
       {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    std::tm parts{};
    std::istringstream stream{text};
    stream >> std::get_time(&parts, format);
    bool const whole = !stream.fail() && stream.peek() == std::istringstream::traits_type::eof();
    // std::get_time takes what breaks off in the middle, such as a year alone.
    std::array<char, 32> again{};
    std::string_view const written{again.data(),
                                   std::strftime(again.data(), again.size(), format, &parts)};
    if (whole && written.size() == text.size()) return time_of(parts, zone);
  }
  return std::nullopt;
}

}  // namespace

Result<Time, std::string> parse_when(std::string_view text, Time now, Zone zone) {
  std::string lower{text};
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower == "now") return now;
  if (lower == "today") return midnight(now, 0, zone);
  if (lower == "yesterday") return midnight(now, 1, zone);
  if (auto const day = weekday(lower)) {
    return midnight(now, (broken_down(now, zone).tm_wday - *day + 7) % 7, zone);
  }
  if (auto const ago = config::parse_duration(text)) return now - ago.value();
  if (auto const local = parse_local(std::string{text}, zone)) return *local;
  if (auto const utc = config::parse_time(text, floor<seconds>(now))) return Time{utc.value()};
  return "expected a time such as \"tue\", \"yesterday\", \"90d\", \"2026-11-24\", \"2026-11-24 "
         "10:00\" or \"2026-11-24T10:00:00Z\", got \"" +
         HarmlessText<100>{text}.text() + "\"";
}

std::string when_text(Time time, Zone zone) {
  std::tm const parts = broken_down(time, zone);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts)};
}

std::string zone_text(Time time, Zone zone) {
  std::tm const parts = broken_down(time, zone);
  if (zone == Zone::utc || parts.tm_gmtoff == 0) return "UTC";
  char text[48];
  std::string name{text, std::strftime(text, sizeof text, "%Z (UTC%z)", &parts)};
  auto const sign = name.find_last_of("+-");
  if (sign != std::string::npos && sign + 3 < name.size()) name.insert(sign + 3, ":");
  return name;
}

std::string span_text(milliseconds span) {
  struct Unit {
    std::int64_t length;
    char const* name;
  };
  constexpr Unit kUnits[] = {
      {86'400'000, " d"}, {3'600'000, " h"}, {60'000, " min"}, {1'000, " s"}, {1, " ms"}};
  std::int64_t left = span.count();
  if (left <= 0) return "0 s";
  for (std::size_t i = 0; i < std::size(kUnits); ++i) {
    if (left < kUnits[i].length) continue;
    std::string text = std::to_string(left / kUnits[i].length) + kUnits[i].name;
    left %= kUnits[i].length;
    bool const finer = i + 1 < std::size(kUnits) && i != 3;
    auto const rest = finer ? left / kUnits[i + 1].length : 0;
    if (rest > 0) text += " " + std::to_string(rest) + kUnits[i + 1].name;
    return text;
  }
  return "0 s";
}

}  // namespace canary::history

// SPDX-License-Identifier: Apache-2.0
#include "config/maintenance.h"

#include <algorithm>
#include <cstddef>

#include "config/duration.h"
#include "config/star_pattern.h"

namespace canary::config {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::minutes;
using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::string_view kDaily = "daily";
constexpr std::string_view kExpected =
    "expected days and times, UTC, such as sun 02:00-04:00, mon-fri,sun 22:00-01:30 or "
    "daily 03:00-03:30, got ";

std::string wrong(std::string_view text) {
  return std::string{kExpected}.append("\"").append(text).append("\"");
}

std::optional<std::size_t> day_of(std::string_view word) {
  auto const found = std::ranges::find(kDays, word);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kDays.begin());
}

// "mon", "mon-fri", "sat-mon"; false where it is none.
bool add_days(std::string_view part, std::array<bool, 7>& days) {
  auto const dash = part.find('-');
  auto const first = day_of(part.substr(0, dash));
  auto const last = dash == std::string_view::npos ? first : day_of(part.substr(dash + 1));
  if (!first || !last) return false;
  for (std::size_t day = *first;; day = (day + 1) % kDays.size()) {
    days[day] = true;
    if (day == *last) return true;
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "02:00"; 24:00 is one, too.
std::optional<minutes> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (std::size_t const at : {0, 1, 3, 4}) {
    if (!is_digit(text[at])) return std::nullopt;
  }
  auto const number = [&](std::size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  minutes const time = std::chrono::hours{number(0)} + minutes{number(3)};
  if (number(3) > 59 || time > 24h) return std::nullopt;
  return time;
}

std::string clock_text(minutes time) {
  std::string const hours = std::to_string(time / 1h), rest = std::to_string((time % 1h).count());
  return std::string(2 - hours.size(), '0') + hours + ":" + std::string(2 - rest.size(), '0') +
         rest;
}

// The offset "+01:00" that ends `text`, which loses it.
std::optional<minutes> take_offset(std::string_view& text) {
  constexpr std::size_t kLength = 6;
  if (text.size() <= kLength) return std::nullopt;
  auto const offset = text.substr(text.size() - kLength);
  auto const time = time_of_day(offset.substr(1));
  if ((offset[0] != '+' && offset[0] != '-') || !time || *time >= 24h) return std::nullopt;
  text.remove_suffix(kLength);
  return offset[0] == '+' ? *time : -*time;
}

}  // namespace

bool MaintenanceWindow::covers(std::string_view probe) const {
  return probes.empty() || std::ranges::any_of(probes, [probe](auto const& pattern) {
           return matches_stars(pattern, probe);
         });
}

std::optional<Stretch> MaintenanceWindow::holding(sys_seconds at) const {
  if (auto const* const once = std::get_if<Stretch>(&when)) {
    if (at < once->from || at >= once->to) return std::nullopt;
    return *once;
  }
  auto const& weekly = std::get<Weekly>(when);
  auto const today = std::chrono::floor<days>(at);
  // What began yesterday may go on.
  for (auto const day : {today, today - days{1}}) {
    if (!weekly.days[std::chrono::weekday{day}.c_encoding()]) continue;
    Stretch const stretch{day + weekly.from, day + weekly.from + weekly.length};
    if (at >= stretch.from && at < stretch.to) return stretch;
  }
  return std::nullopt;
}

Result<Weekly, std::string> parse_weekly(std::string_view text) {
  Weekly weekly;
  auto const blank = text.find(' ');
  if (blank == std::string_view::npos) return wrong(text);
  std::string_view days_text = text.substr(0, blank);
  auto const times = text.substr(blank + 1);
  if (days_text == kDaily) days_text = "sun-sat";
  for (bool more = true; more;) {
    auto const comma = days_text.find(',');
    if (!add_days(days_text.substr(0, comma), weekly.days)) return wrong(text);
    more = comma != std::string_view::npos;
    if (more) days_text.remove_prefix(comma + 1);
  }
  auto const dash = times.find('-');
  auto const from = time_of_day(times.substr(0, dash));
  auto const to =
      dash == std::string_view::npos ? std::nullopt : time_of_day(times.substr(dash + 1));
  if (!from || !to || *from == 24h) return wrong(text);
  weekly.from = *from;
  weekly.length = *to > *from ? *to - *from : *to - *from + minutes{24h};
  if (*to == *from) {
    return "expected a window that ends at another time of day than it begins at, got \"" +
           std::string{text} + "\"; a whole day is 00:00-24:00";
  }
  if (weekly.length == minutes{24h} && std::ranges::count(weekly.days, false) == 0) {
    return "expected a window that ends, got \"" + std::string{text} +
           "\"; enabled: false pauses a probe";
  }
  return weekly;
}

std::string to_text(Weekly const& weekly) {
  std::string text;
  // A week of people begins on Monday.
  for (std::size_t day = 1; day <= kDays.size(); ++day) {
    if (!weekly.days[day % kDays.size()]) continue;
    text.append(text.empty() ? "" : ",").append(kDays[day % kDays.size()]);
  }
  if (std::ranges::count(weekly.days, false) == 0) text = kDaily;
  minutes const end = weekly.from + weekly.length;
  return text + " " + clock_text(weekly.from) + "-" + clock_text(end > 24h ? end - 24h : end);
}

Result<sys_seconds, std::string> parse_moment(std::string_view text) {
  std::string const quoted = "\"" + std::string{text} + "\"";
  std::string utc{text};
  minutes offset{0};
  std::string_view rest = text;
  if (auto const taken = take_offset(rest)) {
    offset = *taken;
    utc = std::string{rest} + "Z";
  }
  auto const time =
      text == "now" ? Result<sys_seconds, std::string>{std::string{}} : parse_time(utc, {});
  if (time) return time.value() - offset;
  return "expected a time such as 2027-03-01T22:00:00Z, 2027-03-01T23:00:00+01:00 or 2027-03-01 "
         "(its midnight, UTC), got " +
         quoted;
}

}  // namespace canary::config

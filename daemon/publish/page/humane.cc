// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/humane.h"

#include <array>
#include <utility>

#include "daemon/publish/api.h"

namespace canary::daemon::page {

std::string span(std::chrono::milliseconds length) {
  constexpr std::array kUnits{std::pair{86'400'000LL, " d"}, std::pair{3'600'000LL, " h"},
                              std::pair{60'000LL, " min"}, std::pair{1'000LL, " s"}};
  auto const number = std::max<std::int64_t>(length.count(), 0);
  for (auto const& [unit, name] : kUnits) {
    if (number >= unit) return std::to_string(number / unit) + name;
  }
  return std::to_string(number) + " ms";
}

std::string distance(SysTime time, SysTime now) {
  auto const between = std::chrono::abs(time - now);
  if (between < std::chrono::seconds{1}) return "now";
  return time < now ? span(between) + " ago" : "in " + span(between);
}

std::string clock(SysTime time, SysTime now) {
  std::string const text = rfc3339(time);  // 2026-11-26T02:12:55.123Z
  bool const same_day = text.substr(0, 10) == rfc3339(now).substr(0, 10);
  return (same_day ? "" : text.substr(0, 10) + " ") + text.substr(11, 8) + " UTC";
}

std::string check_command(std::string const& config_file, std::string const& probe) {
  std::string const file = config_file.empty() ? "" : "--config " + config_file + " ";
  return "canaryd check " + file + probe;
}

std::string count(std::size_t number, std::string const& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace canary::daemon::page

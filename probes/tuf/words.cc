// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/words.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace canary::tuf {

std::string words(std::chrono::seconds span) {
  struct Unit {
    std::int64_t seconds;
    std::string_view noun;
  };
  constexpr std::array kUnits{Unit{86'400, "day"}, Unit{3'600, "hour"}, Unit{60, "minute"},
                              Unit{1, "second"}};
  std::int64_t left = span.count();
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    Unit const& unit = kUnits[i];
    if (left < unit.seconds && unit.seconds > 1) continue;
    std::string text = count(static_cast<std::uint64_t>(left / unit.seconds), unit.noun);
    left %= unit.seconds;
    if (i + 1 < kUnits.size() && left >= kUnits[i + 1].seconds) {
      text +=
          " " + count(static_cast<std::uint64_t>(left / kUnits[i + 1].seconds), kUnits[i + 1].noun);
    }
    return text;
  }
  return "0 seconds";
}

std::string count(std::uint64_t number, std::string_view noun) {
  std::string text = std::to_string(number);
  text.append(" ").append(noun);
  if (number != 1) text += 's';
  return text;
}

}  // namespace canary::tuf

// SPDX-License-Identifier: Apache-2.0
// Names for a line of the log: the first ones, and how many more there are.
// Thread: any (pure).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace canary::daemon {

// "a, b and 7 more"; "none".
inline std::string some_of(std::vector<std::string> const& names) {
  constexpr std::size_t kNamed = 20;
  if (names.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kNamed) text += " and " + std::to_string(names.size() - kNamed) + " more";
  return text;
}

}  // namespace canary::daemon

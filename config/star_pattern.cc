// SPDX-License-Identifier: Apache-2.0
#include "config/star_pattern.h"

#include <cstddef>
#include <optional>

namespace canary::config {

bool matches_stars(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::optional<std::size_t> star;  // behind the last `*`; its text ends at star_in for now
  std::size_t star_in = 0;
  while (in < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      star_in = in;
    } else if (at < pattern.size() && pattern[at] == text[in]) {
      ++at;
      ++in;
    } else if (star) {
      at = *star;
      in = ++star_in;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace canary::config

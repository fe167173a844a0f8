// SPDX-License-Identifier: Apache-2.0
// Edit distance between names.
// Thread: none (pure). Source: optimal string alignment (Damerau-Levenshtein, restricted).
#include "config/nearest.h"

#include <algorithm>

namespace canary::config {
namespace {

constexpr std::size_t kLongestName = 100;  // beyond it nothing is a typing error

constexpr std::size_t kShortestCut = 3;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      bool const same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view given, std::vector<std::string> const& known) {
  if (given.empty() || given.size() > kLongestName) return "";
  std::string const* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (auto const& name : known) {
    auto d = distance(given, name);
    bool const cut = name.starts_with(given) || given.starts_with(name);
    if (cut && std::min(given.size(), name.size()) >= kShortestCut) d = 1;  // warn for warning
    // As many edits as letters would turn anything into anything.
    if (d < best_distance && d < name.size()) {
      best = &name;
      best_distance = d;
    }
  }
  return best ? "did you mean " + *best + "?" : "";
}

}  // namespace canary::config

// SPDX-License-Identifier: Apache-2.0
// A configuration problem as one line.
// Thread: none (pure).
#include "config/problem.h"

namespace canary::config {

std::string to_text(Problem const& problem) {
  std::string text = problem.file.text();
  if (problem.line > 0) {
    text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  }
  if (!text.empty()) text += ": ";
  if (!problem.field.empty()) text += problem.field + ": ";
  text += problem.message;
  if (!problem.suggestion.empty()) text += "; " + problem.suggestion;
  return text;
}

std::vector<Problem> Problems::take() {
  auto all = std::exchange(kept_, {});
  auto const more = std::exchange(count_, 0) - all.size();
  if (more > 0) {
    auto text = "and " + std::to_string(more) + (more == 1 ? " more problem" : " more problems");
    all.push_back({"", 0, 0, "", std::move(text), ""});
  }
  return all;
}

}  // namespace canary::config

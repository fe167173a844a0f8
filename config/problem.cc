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
  text += ": ";
  if (!problem.field.empty()) text += problem.field + ": ";
  text += problem.message;
  if (!problem.suggestion.empty()) text += "; " + problem.suggestion;
  return text;
}

}  // namespace canary::config

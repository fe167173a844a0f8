// SPDX-License-Identifier: Apache-2.0
#include "probes/pattern.h"

#include <utility>

#include <re2/re2.h>

namespace canary::probes {

Result<Pattern, std::string> Pattern::compile(std::string_view expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(std::int64_t{1} << 20);
  auto compiled = std::make_shared<re2::RE2 const>(
      re2::StringPiece{expression.data(), expression.size()}, options);
  if (!compiled->ok()) {
    return "expected a regular expression (RE2), got \"" + std::string{expression} +
           "\": " + compiled->error();
  }
  return Pattern{std::move(compiled)};
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, *compiled_);
}

}  // namespace canary::probes

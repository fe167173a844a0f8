// SPDX-License-Identifier: Apache-2.0
// A regular expression, matched in a time that grows with the text alone, whoever wrote either.
// Thread: any (immutable).
// Source: RE2, https://github.com/google/re2/wiki/Syntax.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/result.h"

namespace re2 {
class RE2;
}

namespace canary::probes {

class Pattern {
 public:
  // An error is a sentence. An expression whose program would take more than 1 MiB is refused.
  static Result<Pattern, std::string> compile(std::string_view expression);

  // Is it found anywhere in `text`? Bytes that are no UTF-8 match nothing.
  bool found_in(std::string_view text) const;

 private:
  explicit Pattern(std::shared_ptr<re2::RE2 const> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<re2::RE2 const> compiled_;
};

}  // namespace canary::probes

// SPDX-License-Identifier: Apache-2.0
// What a server's answer is held against, as its bytes come.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "probes/pattern.h"
#include "probes/tcp/spec.h"

namespace canary::tcp {

// How the bytes came to their end.
enum class End { closed, silent, full, overdue };

enum class Answer {
  more,     // it may still become what is expected
  met,      // all of it
  unmet,    // something else came
  unclear,  // too little came to tell
};

class Expectation {
 public:
  explicit Expectation(Spec const& spec);

  // `heard` is all that came so far, and only grows. The expression counts as it was looked for.
  Answer so_far(std::string_view heard);
  // Nothing more comes; never `more`.
  Answer at_end(std::string_view heard, End end);
  // The expression is looked for elsewhere, for that may take a while: once a sixteenth has been
  // added since the last look, so that its cost stays linear, and at the end.
  bool look_is_due(std::size_t heard, bool last) const {
    return pattern_ && !matched_ && (last || heard >= next_look_);
  }
  probes::Pattern const& pattern() const { return *pattern_; }
  void looked(std::size_t heard, bool matched);

  // What was expected and did not come: "that it begins with \"@RSYNCD: \"".
  std::string missing(std::string_view heard) const;

 private:
  bool found(std::string_view heard);

  std::optional<std::string> starts_with_, contains_, matches_;
  std::optional<probes::Pattern> pattern_;
  std::size_t searched_ = 0;  // of `heard`, for contains_
  bool found_ = false, matched_ = false;
  std::size_t next_look_ = 1;  // at so many bytes
};

}  // namespace canary::tcp

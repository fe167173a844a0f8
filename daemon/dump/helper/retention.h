// SPDX-License-Identifier: Apache-2.0
// Keeps a directory of dumps within its limits. What goes leaves a line behind: repeated stalls are
// folded, not lost.
// Thread: one (the helper's).
#pragma once

#include <cstdint>
#include <string>

namespace canary::dump {

struct Retention {
  std::uint32_t keep = 32;  // dumps: the files of one stem count once
  std::uint64_t keep_bytes = 256ULL * 1024 * 1024;
  std::uint32_t keep_same = 4;  // dumps of one signature: the first and the latest of them
};

// One line about a dump, for `folded.log`, and what makes it the same as another.
struct DumpSummary {
  std::string stem, signature, line;
};

// Notes the dump in `directory`/.index and removes what is over the limits: repeated ones first,
// then the oldest; never the newest. Returns how many dumps were removed.
std::uint32_t retain(std::string const& directory, Retention const& limits,
                     DumpSummary const& added);

}  // namespace canary::dump

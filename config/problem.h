// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration: where it stands and what would be right.
// Thread: none (pure).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "config/harmless.h"

namespace canary::config {

// Holds text of the file: harmless from here on.
struct Problem {
  HarmlessText<512> file;
  int line = 0;    // 1-based; 0 where the file as a whole is meant
  int column = 0;  // 1-based
  HarmlessText<256>
      field;  // "probes[2].tuf.metadata_url"; empty where the file as a whole is meant
  HarmlessText<512> message;     // "must be positive, got 0s"
  HarmlessText<256> suggestion;  // "did you mean interval?"; empty where there is none
  friend bool operator==(Problem const&, Problem const&) = default;
};

// "demo.yml:4:5: probes[0].intervall: unknown field; did you mean interval?"
std::string to_text(Problem const& problem);

// What is found wrong while something is read: the first ones, and how many there were. More tell
// nobody more, and whoever wrote a file of nothing else must not fill memory and log with it.
class Problems {
 public:
  static constexpr std::size_t kMostKept = 100;

  void add(Problem problem) {
    if (++count_ <= kMostKept) kept_.push_back(std::move(problem));
  }
  std::size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::vector<Problem> const& kept() const { return kept_; }
  template <class Place>
  void sort(Place const& place) {
    std::ranges::sort(kept_, {}, place);
  }
  // Those that are kept, and where there were more, one that says how many: "and 12 more problems".
  std::vector<Problem> take();

 private:
  std::vector<Problem> kept_;
  std::size_t count_ = 0;
};

}  // namespace canary::config

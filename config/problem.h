// SPDX-License-Identifier: Apache-2.0
// One thing wrong with a configuration: where it stands and what would be right.
// Thread: none (pure).
#pragma once

#include <string>

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

}  // namespace canary::config

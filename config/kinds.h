// SPDX-License-Identifier: Apache-2.0
// What the reader of a configuration has to know of each kind of probe. The kinds stand in probes/;
// who loads a configuration hands them in.
// Thread: none (immutable once built).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/kind_spec.h"

namespace canary::config {

struct Kind {
  KindSpec spec;      // everything at its default; its name is the field of a probe
  std::string title;  // "a TUF repository, verified as a client sees it"
  std::vector<std::string_view> checks, reasons;  // its own words for findings
};
using Kinds = std::vector<Kind>;

}  // namespace canary::config

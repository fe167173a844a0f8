// SPDX-License-Identifier: Apache-2.0
// Reads the Prometheus text format by its own rules, strictly: written from the format's
// description, not from our writer.
// Thread: none (pure).
// Source: Prometheus text exposition format 0.0.4.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace canary::tests {

struct ParsedFamily {
  std::string help, type;
};

struct Exposition {
  std::map<std::string, ParsedFamily> families;
  // By `name{label="value",…}` with labels sorted and values unescaped.
  std::map<std::string, double> samples;
  std::vector<std::string> problems;  // empty when the page is valid

  bool has(std::string const& series) const { return samples.contains(series); }
  double value(std::string const& series) const;  // NaN where there is none
};

Exposition parse_exposition(std::string_view page);

}  // namespace canary::tests

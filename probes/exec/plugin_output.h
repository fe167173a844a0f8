// SPDX-License-Identifier: Apache-2.0
// What a plugin says: a message and figures.
// Thread: any (pure). Source: Monitoring Plugins Development Guidelines, sections 2.1, 2.3 and 2.6.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace canary::exec {

struct Figure {
  std::string label;
  double value = 0;
  std::string unit;  // "s", "%", "B", "c"; as it is written
  friend bool operator==(Figure const&, Figure const&) = default;
};

struct PluginOutput {
  std::string message;          // the first line, up to its '|'
  std::vector<Figure> figures;  // the first `most`, also of later lines behind a '|'
};
// What is no figure ("U", no number, no label) is passed over.
PluginOutput parse_output(std::string_view text, std::size_t most);

}  // namespace canary::exec

// SPDX-License-Identifier: Apache-2.0
// A list of probes from outside: what an included file may hold, read by the same reader, but
// nothing of it may run programs or read files of this machine.
// Thread: any but the loop's (looks at files that a source may name).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace canary::config {

// One document of a list: what a URL gave, or one of the files of a pattern.
struct ListPart {
  std::string place;  // for messages: the URL or path
  std::string text;   // at most kMaxListBytes of it are read
  friend bool operator==(ListPart const&, ListPart const&) = default;
};
inline constexpr std::size_t kMaxListBytes = std::size_t{4} << 20;  // as of a file

// Who has a name already: "a file of the configuration"; "" where it is free.
using TakenBy = std::function<std::string(std::string_view name)>;

struct ListRead {
  std::vector<ProbeSpec> probes;  // those that nothing is wrong with, in their order
  Problems problems;              // in the order of reading
};

// The list of `source`, whose probes start from the defaults of `config`, without their secrets.
ListRead read_list(DiscoverySource const& source, std::vector<ListPart> const& parts,
                   Config const& config, Kinds const& kinds, TakenBy const& taken);

}  // namespace canary::config
